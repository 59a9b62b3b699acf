"""The sandbox in the agent: the same set-up as a lesson's, with orders in place of its steps."""

from __future__ import annotations

from types import ModuleType

from tour.agent.stage import Stage
from tour.errors import UsageError, errno_name
from tour.lesson import orders, sandbox
from tour.lesson.model import Lesson
from tour.scene.hands import Hands
from tour.scene.refused import Refused
from tour.trace import events as ev


class SandStage(Stage):
    """``open`` as a lesson's; ``obey`` does one order and tells it as a step."""

    hands: Hands

    def _load(self) -> tuple[Lesson, ModuleType]:
        return sandbox.empty(), ModuleType("sandbox")

    def open(self) -> None:
        """See ``Stage``; from here on both sides of the rings have switches."""
        super().open()
        assert self.nic is not None, "a stage that is open has a set-up"
        self.hands = Hands(self.nic)

    def obey(self, step: str, line: str) -> None:
        """Do the order in ``line``. What cannot be done is told, and nothing else happens. Raises UsageError."""
        if self.nic is None:
            raise UsageError("The sandbox is not open.")
        order = orders.read(line)
        self.recorder.emit(ev.Step(sandbox.SANDBOX, step, "begin"), actor="tour")
        try:
            ended = self.hands.do(order)
        except Refused as refused:
            self.recorder.emit(ev.Note(refused.key, dict(refused.args_said)), actor="tour")
            ended = "refused"
        except OSError as error:
            ended = errno_name(error)
        self.recorder.emit(ev.Step(sandbox.SANDBOX, step, "end", ended), actor="tour")
