"""The part of the row ``lab`` that runs in the lab: ``python -m tour.bench.in_lab ROUNDS``, two figures a line.

Each line is "OURS PEER" in packets a second: our driver, then testpmd's, on the kernel's vhost-net of that machine,
in alternating order; the first line is the warm-up's.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

from tour.bench.ground import SMALL, cores, own_tap
from tour.bench.testpmd import DRIVER, Testpmd, pause, resume
from tour.device.kernel import KernelDevice
from tour.errors import TimedOut
from tour.scene.packets import PacketIO

SECONDS = 0.6
NUM = 1024
PATIENCE = 20.0


class Sides:
    """Both drivers, each with a vhost-net and a tap of its own."""

    def __init__(self, stack: ExitStack) -> None:
        device = KernelDevice()
        stack.callback(device.close)
        tap = stack.enter_context(own_tap("tap1"))
        self.packets = stack.enter_context(PacketIO(device, tap, num=NUM))
        self.burst = SMALL * NUM
        self.testpmd = Testpmd(cores()[1], "d", [f"net_virtio_user0,path=/dev/vhost-net,iface=tap2,{DRIVER}"], "txonly")
        stack.callback(self.testpmd.close)
        self.testpmd.wait_sending()
        pause(self.testpmd.process)

    def ours(self) -> float:
        """Packets a second, for :data:`SECONDS`."""
        tx, sent, begun = self.packets.tx, 0, time.monotonic()
        while time.monotonic() < begun + SECONDS:
            taken = tx.send(self.burst, len(SMALL))
            sent += taken
            if not taken:
                self._wait(NUM * 3 // 4)
        while left := tx.counts()["outstanding"]:
            self._wait(left)
            tx.reap()
        return sent / (time.monotonic() - begun)

    def _wait(self, count: int) -> None:
        if not self.packets.wait_sent(count, PATIENCE):
            raise TimedOut("The device did not use what the bench sent.")

    def peer(self) -> float:
        """The same of testpmd."""
        resume(self.testpmd.process)
        before, begun = self.testpmd.sent()
        time.sleep(SECONDS)
        after, ended = self.testpmd.sent()
        pause(self.testpmd.process)
        return (after - before) / (ended - begun)


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        sides = Sides(stack)
        for number in range(int(sys.argv[1]) + 1):
            if number % 2:
                ours, peer = sides.ours(), sides.peer()
            else:
                peer, ours = sides.peer(), sides.ours()
            print(f"{ours} {peer}", flush=True)


if __name__ == "__main__":
    main()
