"""The row on the kernel's own vhost-net: measured in the lab by ``in_lab``, all rounds at once."""

from __future__ import annotations

import subprocess
import sys

from tour.bench.testpmd import require_dpdk
from tour.errors import CapabilityMissing, TimedOut

ROUNDS = 11
LONGEST = 240.0
LACKING = 3


class Lab:
    """Our driver against dpdk-testpmd's virtio-user, both on /dev/vhost-net of the same virtual machine."""

    peer_name = "dpdk-testpmd virtio-user"

    def __init__(self) -> None:
        require_dpdk()
        inside = [sys.executable, "-m", "tour.bench.in_lab", str(ROUNDS)]
        lab = [sys.executable, "-m", "tour.cli", "lab", "run", "--cpus", "2", "--timeout", str(LONGEST)]
        done = subprocess.run(
            [*lab, "--", *inside], capture_output=True, text=True, timeout=LONGEST + 60, stdin=subprocess.DEVNULL
        )
        if done.returncode == LACKING:
            raise CapabilityMissing("lab", "The lab cannot be booted here.", done.stderr.strip()[-300:])
        if done.returncode:
            raise TimedOut("The rounds in the lab ended early.", done.stderr.strip()[-300:])
        lines = [line.split() for line in done.stdout.splitlines()]
        self.figures = [(float(ours), float(peer)) for ours, peer in lines]
        self.taken = {"ours": 0, "peer": 0}

    def _next(self, side: str) -> float:
        place = self.taken[side]
        self.taken[side] += 1
        return self.figures[place][0 if side == "ours" else 1]

    def ours(self) -> float:
        """Packets a second."""
        return self._next("ours")

    def peer(self) -> float:
        """Packets a second."""
        return self._next("peer")

    def more(self) -> dict[str, float]:
        """Nothing further."""
        return {}

    def close(self) -> None:
        """The machine is gone already."""
