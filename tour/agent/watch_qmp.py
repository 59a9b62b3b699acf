"""A QEMU watched from outside, as a session: the looking is done in this process, QEMU is only asked and read."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from tour import __version__
from tour.agent import protocol
from tour.agent.session import OnEnd, OnEvent, OnProgress
from tour.errors import TourError, UsageError
from tour.trace import events as ev
from tour.trace.recorder import Recorder

GONE_SECONDS = 0.2


class QmpSession:
    """Events of the first vhost network device of the QEMU whose QMP socket is ``path``.

    Raises what ``device.qmp.Qemu`` raises. ``close`` ends the looking; QEMU goes on.
    """

    kind = "watch"
    host = ""

    def __init__(self, path: Path) -> None:
        from tour.device.qmp import Qemu

        self.path = path
        self._qemu = Qemu(path)
        self._recorder = Recorder()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        """Look on threads of our own."""
        from tour.device.sampler import Sampler

        qemu = self._qemu
        self._recorder.sinks.append(on_event)
        self._recorder.emit(self._hello(), actor="tour")
        self._recorder.emit(ev.Watching("qmp", str(self.path), qemu.pid, qemu.name), actor="tour")
        # QEMU's memory is looked at on its own time, not the guest's: to count completions no look may be missed.
        self._sampler = Sampler(lambda: qemu.eyes, self._recorder, yields=False, around=qemu.around)
        self._sampler.wanted(True)
        self._thread = threading.Thread(target=self._wait, args=(on_end,), name="watch-qmp", daemon=True)
        self._thread.start()

    def _hello(self) -> ev.Hello:
        uname = os.uname()
        return ev.Hello(
            ev.PROTOCOL, ev.SCHEMA, __version__, "kernel" if self._qemu.kernel else "vhost-user", uname.release, "tap",
            ev.WATCH, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), uname.machine,
        )  # fmt: skip

    def _wait(self, on_end: OnEnd) -> None:
        """Until QEMU or whoever watches has enough."""
        while not self._ended.wait(GONE_SECONDS) and self._qemu.gone is None:
            pass
        self._sampler.close()
        self._recorder.emit(ev.Bye("closed" if self._ended.is_set() else "gone"), actor="tour")
        self._qemu.close()
        on_end(None if self._ended.is_set() else self._qemu.gone)

    def send(self, command: protocol.AnyCommand) -> None:
        """Take a command: only the rate can be changed, for nothing is ever done to QEMU; of packets there are none."""
        try:
            if not isinstance(command, protocol.Rate | protocol.Packet):
                raise UsageError("A QEMU is only looked at: nothing is done to it, its worker cannot be held.")
            if isinstance(command, protocol.Rate):
                self._sampler.set_rate(command.hertz)
            ok = True
        except TourError as error:
            self._recorder.emit(ev.Error(error.what, error.why, error.fix), actor="tour")
            ok = False
        self._recorder.emit(ev.Done(command.id, ok), actor="tour")

    def close(self) -> None:
        """Stop looking and wait for it; safe to call twice."""
        self._ended.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()
