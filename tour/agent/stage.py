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
from tour.scene.choose import Chosen, PortWanted, choose
from tour.scene.nic import RING_SIZE, Nic, Plan
from tour.scene.set_up import set_up, set_up_from
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
        self.lesson, self.scene = self._load()
        self.nic: Nic | None = None

    def _load(self) -> tuple[Lesson, ModuleType]:
        lesson = load(self.command.lesson)
        return lesson, load_scene(lesson.scene_path())

    def open(self) -> None:
        """Choose device and port, say Hello, build what stands before the first step (``at``). Raises TourError."""
        fork = self.command.fork
        tx_num = fork.rings[1].num if fork else self.command.num or RING_SIZE
        early: list[ev.Event] = []
        chosen = choose(self.command.device, Recorder(early.append), self._port_wanted())
        self._hello(chosen)
        for event in early:
            self.recorder.adopt(event)
        self.nic = Nic(self.recorder, chosen, self._plan(tx_num))
        if fork is not None:
            set_up_from(self.nic, fork.image, fork.rings)
            return
        set_up(self.nic, self.lesson.set_up)
        if hasattr(self.scene, "prepare"):
            self.scene.prepare(self.nic)
        for step in self._before(self.command.at):
            self._act(self.nic, step)

    def _plan(self, num: int) -> Plan:
        return Plan(num, self.command.base, features=self.command.features, **self._receiving())

    def _port_wanted(self) -> PortWanted:
        if self.lesson.set_up == "attach":
            return "open"
        return "tap" if "tun" in self.lesson.needs else "none"

    def _receiving(self) -> dict[str, int]:
        """What the fork changes of the buffers to receive into."""
        chosen = next((vary.set for vary in self.lesson.vary if vary.id == self.command.variant), {})
        return {key: value for key, value in chosen.items() if key in ("buffers", "room") and isinstance(value, int)}

    def _before(self, at: str) -> tuple[str, ...]:
        """The steps before ``at``, none if it is empty. Raises UsageError."""
        if at and at not in self.lesson.step_ids:
            raise UsageError(f"Lesson {self.lesson.id} has no step '{at}'.")
        return self.lesson.step_ids[: self.lesson.step_ids.index(at)] if at else ()

    def _hello(self, chosen: Chosen) -> None:
        uname = os.uname()
        fork = self.command.fork
        hello = ev.Hello(
            protocol=ev.PROTOCOL,
            schema=ev.SCHEMA,
            tour=__version__,
            device=chosen.device,
            kernel=uname.release,
            net=chosen.net,
            lesson=self.lesson.id,
            started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            machine=uname.machine,
            forked_from=fork.origin if fork else self._redone(),
            variant=self.command.variant or None,
            why_not_kernel=chosen.why_not_kernel,
            why_not_tap=chosen.why_not_tap,
            pid=os.getpid(),
            gear=chosen.gear,
            scene=self.lesson.scene_digest(),
        )
        self.recorder.emit(hello, actor="tour")

    def _redone(self) -> str | None:
        """A fork that does the steps before it anew comes from there as well."""
        return f"{self.lesson.id}:{self.command.at}" if self.command.variant and self.command.at else None

    def do(self, step: str, skip: bool) -> None:
        """Run one step to its named end condition, then its checks."""
        if self.nic is None or step not in self.lesson.step_ids:
            raise UsageError(f"Lesson {self.lesson.id} has no step '{step}'.")
        self.recorder.emit(ev.Step(self.lesson.id, step, "begin"), actor="tour")
        before = self.timeline.edge
        ended = self.nic.wait_only() if skip else self._act(self.nic, step)
        self.recorder.emit(ev.Step(self.lesson.id, step, "end", ended), actor="tour")
        after = self.timeline.edge
        for check in self.lesson.spec(step, self.command.variant).check:
            ok = paths.holds(check.expr, before, after)
            found = paths.actual(check.expr, before, after)
            self.recorder.emit(ev.Check(step, check.id, ok, check.expr, found), actor="tour")

    def _act(self, nic: Nic, step: str) -> str:
        """What the scene does at ``step``, in the fork its own way if it has one: ``step_fork``."""
        own_way = getattr(self.scene, f"{step}_{self.command.variant}", None)
        act = own_way or getattr(self.scene, step)
        return act(nic) or "done"

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
