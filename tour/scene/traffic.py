"""What passes the tap, as an observer of our own sees it: Packet events with the kernel's time stamps' order."""

from __future__ import annotations

from tour.net.port import Port
from tour.trace import events as ev
from tour.trace.recorder import Recorder


class Traffic:
    """Watches a port from before the device is attached."""

    def __init__(self, port: Port, recorder: Recorder) -> None:
        self._observer = port.observe()
        self._recorder = recorder
        self._lost = 0

    def look(self) -> None:
        """Tell every frame seen since the last look, in order."""
        for seen in self._observer.poll():
            data = ev.Packet(seen.direction, "tap", seen.frame.hex())
            self._recorder.emit(data, actor="network", source="observer")
        missed = self._observer.lost() - self._lost
        if missed:
            self._lost += missed
            self._recorder.emit(ev.Lost(missed), actor="network", source="observer")

    def close(self) -> None:
        """Stop watching."""
        self._observer.close()
