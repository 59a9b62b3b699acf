"""DPDK's testpmd as a driver (virtio-user), spoken to on its command line."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tour.errors import CapabilityMissing

PROGRAM = "dpdk-testpmd"
PROMPT = b"testpmd> "
EAL = ("--no-huge", "-m", "192", "--no-pci", "--no-telemetry")
PATIENCE = 30.0


def probe() -> None:
    """Raises CapabilityMissing unless testpmd is installed."""
    if shutil.which(PROGRAM) is None:
        raise CapabilityMissing("dpdk", f"{PROGRAM} is not installed.", "", "sudo apt-get install dpdk-dev")


class Testpmd:
    """One testpmd with the driver ``vdev`` on the server at ``path``; its files lie in ``folder`` and go with it."""

    __test__ = False

    def __init__(self, folder: Path, path: str, options: Sequence[str] = (), queues: int = 1) -> None:
        vdev = ",".join([f"net_virtio_user0,path={path},queue_size=256,queues={queues}", *options])
        several = [f"--rxq={queues}", f"--txq={queues}"] if queues > 1 else []
        core = max(os.sched_getaffinity(0))
        words = ["--", "-i", "--no-mlockall", "--total-num-mbufs=16384", *several]
        argv = [
            PROGRAM,
            "--lcores",
            f"0@{core},1@{core}",
            *EAL,
            "--file-prefix",
            f"s{os.getpid()}",
            "--vdev",
            vdev,
            *words,
        ]
        self.said = b""
        # A terminal, or what it prints would wait in its buffer; its end is a hang-up.
        self.screen, theirs = os.openpty()
        environ = {**os.environ, "RUNTIME_DIRECTORY": str(folder)}
        self.process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
        os.close(theirs)
        self._await(PROMPT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.screen)

    def ask(self, command: str) -> str:
        """Give a command; returns all it said until it takes the next."""
        self.said = b""
        os.write(self.screen, command.encode() + b"\n")
        self._await(PROMPT)
        return self.said.decode(errors="replace").replace("\r", "")

    def counts(self) -> tuple[int, int]:
        """Packets received and sent so far."""
        said = self.ask("show port stats 0")
        found = [re.search(rf"{way}-packets:\s*(\d+)", said) for way in ("RX", "TX")]
        assert found[0] and found[1], said
        return int(found[0][1]), int(found[1][1])

    def queue_counts(self, way: str) -> list[int]:
        """Packets of each queue, ``way`` is rx or tx."""
        said = self.ask("show port xstats 0")
        return [int(count) for count in re.findall(rf"^{way}_q\d+_good_packets: (\d+)$", said, re.M)]

    def _await(self, wanted: bytes) -> None:
        end = time.monotonic() + PATIENCE
        while not self.said.endswith(wanted):
            ready = select.select([self.screen], [], [], max(0.0, end - time.monotonic()))[0]
            try:
                data = os.read(self.screen, 65536) if ready else b""
            except OSError:
                data = b""
            assert data, f"testpmd does not answer: {self.said[-600:].decode(errors='replace')}"
            self.said += data
