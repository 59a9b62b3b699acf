"""A player that tells the view's story without an agent: enough of a lesson to drive the screen with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from msgspec.structs import replace

from tests.view.story import STEPS, Story, moment
from tour.agent.session import Item, Session
from tour.errors import TourError
from tour.i18n import Lang
from tour.lesson.moment import Moment, Phase, TimelineView
from tour.trace.events import Event
from tour.trace.timeline import Timeline


@cache
def told(step: str, phase: Phase, lang: Lang, device: str, struck: bool) -> Moment:
    """The view's moment; telling the whole story takes long, so each is told once."""
    return moment(step, phase, lang, device, struck=struck and phase == "predict")


class ScriptedPlayer:
    """Two phases a step: ``predict`` until answered right, then ``observe``. ``calls`` are the wishes it got."""

    def __init__(self, lang: Lang = "en", device: str = "embedded", step: str = "publish") -> None:
        self.lang: Lang = lang
        self.index = STEPS.index(step)
        self.story = Story(device).run(until=step)
        self.phase: Phase = "predict"
        self.struck = False
        self.position: int | None = None
        self.calls: list[str] = []
        self.session: Session | None = None
        self.error: TourError | None = None

    @property
    def timeline(self) -> Timeline:
        return self.story.timeline

    def moment(self) -> Moment:
        drawn = told(STEPS[self.index], self.phase, self.lang, self.story.device, self.struck)
        length = len(self.timeline)
        position = length if self.position is None else self.position
        return replace(
            drawn, state=self.timeline.at(position), timeline=TimelineView(position, length, drawn.timeline.marks)
        )

    def enter(self) -> None:
        self.calls.append("enter")
        if self.phase == "observe" and self.index + 1 < len(STEPS):
            self.index, self.phase = self.index + 1, "predict"

    def answer(self, choice: str) -> None:
        self.calls.append(f"answer {choice}")
        if choice != "avail_idx":
            self.struck = True
            return
        self.story.step(STEPS[self.index])
        self.phase = "observe"

    def back(self) -> None:
        self.seek(self.timeline.previous_stop(self.at))

    def forward(self) -> None:
        self.seek(self.timeline.next_stop(self.at))

    @property
    def at(self) -> int:
        return len(self.timeline) if self.position is None else self.position

    def seek(self, position: int) -> None:
        self.calls.append(f"seek {position}")
        self.position = None if position >= len(self.timeline) else position

    def live(self) -> None:
        self.calls.append("live")
        self.position = None

    def fork(self, vary: str | None) -> None:
        self.calls.append(f"fork {vary}")

    def close(self) -> None:
        self.calls.append("close")

    def restart(self) -> None:
        self.calls.append("restart")

    def hear(self, item: Item) -> None:
        if isinstance(item, Event):
            self.calls.append(f"take {item.seq}")
        elif isinstance(item, TourError):
            self.error = item

    def set_lang(self, lang: Lang) -> None:
        self.lang = lang

    def listen(self, on_item: Callable[[Item], None]) -> None:
        self.say = on_item
