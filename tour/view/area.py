"""A panel's own piece of a canvas, and what every panel may look at."""

from __future__ import annotations

from tour.i18n import Lang
from tour.lesson import labels
from tour.lesson.moment import Moment
from tour.lesson.sandbox import SANDBOX
from tour.trace.events import Event, Ioctl, Syscall
from tour.trace.state import State
from tour.view.canvas import Canvas, width_of
from tour.view.text import tr
from tour.view.ui import MEASURED, PANELS, Ui


class View:
    """A moment and the way it is looked at, with what most panels ask of both."""

    def __init__(self, moment: Moment, ui: Ui, *, wide: bool) -> None:
        self.moment = moment
        self.ui = ui
        self.wide = wide
        self.state: State = moment.state
        self.lang: Lang = moment.lang
        asked = moment.prediction
        unsettled = asked is None or not asked.settled
        asks = moment.lesson != SANDBOX and not moment.next_code
        open_orient = moment.phase == "orient" and asks and unsettled
        self.secret = open_orient or (moment.phase == "predict" and unsettled)

    @property
    def kernel(self) -> bool:
        """Whether the device is the kernel's, and each of its calls an ioctl."""
        hello = self.state.hello
        return hello is not None and hello.device == "kernel"

    @property
    def looked_at(self) -> bool:
        """Whether the device's steps are looked at from outside, not told by itself."""
        hello = self.state.hello
        return hello is not None and hello.looked_at

    @property
    def replayed(self) -> bool:
        """Whether what is shown comes from a recording, looked back into or not."""
        return "replay" in (self.moment.badge.kind, self.moment.badge.into)

    @property
    def running(self) -> bool:
        """Whether a ring has its backend socket: before that the control plane is what there is to see."""
        return any(ring.backend is not None for ring in self.state.rings)

    @property
    def panel(self) -> str:
        """The tab in front: the person's, else the step's; while an answer is secret one that tells nothing of it."""
        if self.ui.panel:
            return self.ui.panel
        if not self.secret:
            return self.moment.show
        if not self.running:
            return "vhost"
        return self.moment.show if self.moment.show in ("tx", "rx") else "tx"

    @property
    def panels(self) -> tuple[str, ...]:
        """The tabs of this lesson: those all have, and of the others those it has something for."""
        lesson, state = self.state.lesson, self.state
        have = {
            "figures": state.figures or state.listings or labels.figures(lesson) or labels.listings(lesson),
            "plot": state.plots or labels.plots(lesson),
            "guest": state.cpu is not None,
        }
        return (*(name for name in MEASURED if have[name] or name == self.moment.show), *PANELS)

    @property
    def control(self) -> bool:
        """Whether the room of the queues goes to what vhost was told, or to what was measured."""
        return not self.running or self.panel in ("vhost", "features", *MEASURED)

    def tr(self, key: str, **values: object) -> str:
        """A string of the view's table in the moment's language."""
        return tr(self.lang, key, **values)

    def style(self, key: str, base: str) -> str:
        """``base``, highlighted when ``key`` changed by the last event (``+now``) or in this step (``+step``)."""
        if key in self.state.changed:
            return f"{base}+now"
        return f"{base}+step" if key in self.state.step_changed else base

    @property
    def acted(self) -> frozenset[str]:
        """Who has acted since the step began, as far as the log tells; what only observes does not act."""
        began = self.moment.before.seq
        return frozenset(event.actor for event in self.state.log if event.seq > began and not observes(event))

    def guessed(self, key: str) -> bool:
        """Whether the value at ``key`` came about in a way that was inferred, not seen."""
        last = self.state.last
        return last is not None and last.inferred and key in self.state.changed


def observes(event: Event) -> bool:
    """Whether the event is a call made only to look, such as VHOST_GET_VRING_BASE by the observer."""
    return event.source == "observer" and isinstance(event.data, Ioctl | Syscall)


class Area:
    """A rectangle of a canvas with its own origin; nothing is drawn outside of it."""

    def __init__(self, canvas: Canvas, x: int, y: int, w: int, h: int) -> None:
        self.canvas = canvas
        self.x = x
        self.y = y
        self.w = w
        self.h = h

    def put(self, x: int, y: int, text: str, style: str = "text", *, limit: int | None = None) -> int:
        """Write inside the area; returns the column after the last cell."""
        room = self.w - x if limit is None else min(limit, self.w - x)
        if not 0 <= y < self.h or room <= 0 or x < 0:
            return x
        return self.canvas.put(self.x + x, self.y + y, text, style, limit=room) - self.x

    def right(self, y: int, text: str, style: str = "text", *, end: int | None = None) -> int:
        """Write so that the text ends before column ``end`` (default: the area's); returns where it begins."""
        start = max(0, (self.w if end is None else end) - width_of(text))
        self.put(start, y, text, style)
        return start

    def anchor(self, name: str, x: int, y: int, w: int = 1, h: int = 1) -> None:
        """Name a place, if it is inside."""
        if 0 <= y < self.h and 0 <= x < self.w:
            self.canvas.anchor(name, self.x + x, self.y + y, w, h)

    def hit(self, action: str, x: int, y: int, w: int, h: int = 1) -> None:
        """Add a mouse target, if it is inside."""
        if 0 <= y < self.h and 0 <= x < self.w:
            self.canvas.hit(action, self.x + x, self.y + y, min(w, self.w - x), h)

    def sub(self, x: int, y: int, w: int, h: int) -> Area:
        """A smaller area inside this one."""
        return Area(self.canvas, self.x + x, self.y + y, max(0, min(w, self.w - x)), max(0, min(h, self.h - y)))
