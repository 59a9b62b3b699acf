"""One lesson's scene, running in the agent: opened, stepped, checked, closed. Only this imports ``scene``."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from types import ModuleType

from tour import __version__
from tour.agent import protocol
from tour.errors import UsageError
from tour.lesson.model import Lesson, load
from tour.scene.choose import Chosen, choose
from tour.scene.nic import RING_SIZE, Nic, Plan
from tour.trace import events as ev
from tour.trace import paths
from tour.trace.recorder import Recorder
from tour.trace.timeline import Timeline


class Stage:
    """A lesson in the agent. ``open`` builds its set-up, ``do`` runs one step and its checks."""

    def __init__(self, command: protocol.Open, recorder: Recorder, timeline: Timeline) -> None:
        self.command = command
        self.recorder = recorder
        self.timeline = timeline
        self.lesson: Lesson = load(command.lesson)
        self.scene = load_scene(self.lesson.scene_path())
        self.nic: Nic | None = None

    def open(self) -> None:
        """Choose device and port, say Hello, build the set-up. Raises TourError."""
        fork = self.command.fork
        tx_num = fork.rings[1].num if fork else self.command.num or RING_SIZE
        early: list[ev.Event] = []
        chosen = choose(self.command.device, Recorder(early.append))
        self._hello(chosen)
        for event in early:
            self.recorder.adopt(event)
        self.nic = Nic(self.recorder, chosen, Plan(tx_num, self.command.base))
        if fork is None:
            self.nic.set_up()
        else:
            self.nic.set_up_from(fork.image, fork.rings)

    def _hello(self, chosen: Chosen) -> None:
        uname = os.uname()
        fork = self.command.fork
        hello = ev.Hello(
            protocol=ev.PROTOCOL,
            schema=ev.SCHEMA,
            tour=__version__,
            device=chosen.device,
            kernel=uname.release,
            net="tap" if chosen.port.real else "socketpair",
            lesson=self.lesson.id,
            started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            machine=uname.machine,
            forked_from=fork.origin if fork else None,
            variant=self.command.variant or None,
            why_not_kernel=chosen.why_not_kernel,
            why_not_tap=chosen.port.why,
        )
        self.recorder.emit(hello, actor="tour")

    def do(self, step: str, skip: bool) -> None:
        """Run one step to its named end condition, then its checks."""
        if self.nic is None or step not in self.lesson.step_ids:
            raise UsageError(f"Lesson {self.lesson.id} has no step '{step}'.")
        self.recorder.emit(ev.Step(self.lesson.id, step, "begin"), actor="tour")
        before = self.timeline.edge
        act = self.nic.wait_only if skip else getattr(self.scene, step)
        ended = act(self.nic) or "done"
        self.recorder.emit(ev.Step(self.lesson.id, step, "end", ended), actor="tour")
        after = self.timeline.edge
        for check in next(spec for spec in self.lesson.step if spec.id == step).check:
            ok = paths.holds(check.expr, before, after)
            found = paths.actual(check.expr, before, after)
            self.recorder.emit(ev.Check(step, check.id, ok, check.expr, found), actor="tour")

    def close(self) -> None:
        """Take everything down."""
        nic, self.nic = self.nic, None
        if nic is not None:
            nic.close()


def load_scene(path: Path) -> ModuleType:
    """The lesson's scene code, by path: a lesson's folder is no package."""
    spec = importlib.util.spec_from_file_location(f"tour_scene_{path.parent.name}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"The lesson in {path.parent.name} has no scene.py.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
