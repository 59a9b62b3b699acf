"""The row that asks what watching costs: the engine at work while the sampler looks, against nobody looking."""

from __future__ import annotations

import time

from tour.bench.ground import SMALL, on_core
from tour.bench.in_process import FRAMES, TxTap
from tour.device.contract import TX
from tour.device.pairs import sampled
from tour.trace.recorder import Recorder


class Sampled(TxTap):
    """64-byte frames into a tap, watched at 20 Hz however busy the cores are."""

    peer_name = "nobody looking"
    FRAMES = 4 * FRAMES

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.recorder = Recorder(lambda event: self._count())

    def _count(self) -> None:
        self.looks += 1

    def ours(self) -> float:
        """Packets a second, watched."""
        with sampled([self.stand.device], self.recorder):
            return self._send("ours")

    def peer(self) -> float:
        """Packets a second, not watched."""
        return self._send("peer")

    def _send(self, side: str) -> float:
        # In C: watcher and driver would else wait for each other's Python, which no guest does.
        packets = self.stand.packets

        def act() -> tuple[float, float]:
            with on_core(self.stand.driver_core):
                begun = time.monotonic()
                sent = packets.tx.pump(packets.calls[TX], self.burst, len(SMALL), self.FRAMES)
                return sent, time.monotonic() - begun

        return self.cpu.measure(side, act)

    def more(self) -> dict[str, float]:
        """CPU, notifications, and what the sampler told."""
        return super().more() | {"samples": float(self.looks)}
