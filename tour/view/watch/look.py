"""What every panel of watching may look at."""

from __future__ import annotations

from tour.agent.watch_moment import Speeds, WatchMoment
from tour.i18n import Lang, t
from tour.trace import events as ev
from tour.trace.state import Ring, State
from tour.view.area import Area
from tour.view.text import tr, wrap
from tour.view.ui import Ui

PANELS = ("ring", "descriptors", "packet", "messages", "memory", "lane")
"""The tabs at 80x24, in order."""
CALM = 4
"""Steps of an index that an eye can follow: more than these are not lit up."""
EVENT_IDX = 29


class Look:
    """A moment of watching and the way it is looked at."""

    def __init__(self, moment: WatchMoment, ui: Ui, *, wide: bool) -> None:
        self.moment = moment
        self.ui = ui
        self.wide = wide
        self.state: State = moment.state
        self.lang: Lang = moment.lang
        watched = moment.watched
        self.sample: ev.Sample | None = watched.sample
        self._before = watched.before

    @property
    def ring(self) -> Ring:
        """The queue chosen."""
        return self.state.rings[self.moment.queue % len(self.state.rings)]

    @property
    def speeds(self) -> Speeds:
        """How fast it goes."""
        return self.moment.speeds.get(self.moment.queue, Speeds())

    @property
    def panel(self) -> str:
        """The tab in front."""
        return self.ui.panel if self.ui.panel in PANELS else PANELS[0]

    @property
    def outside(self) -> bool:
        """Whether a foreign device is looked at from outside its process, which tells no packets and no totals."""
        return self.state.watching is not None and self.state.watching.by == "qmp"

    @property
    def event_idx(self) -> bool:
        """Whether event indices say when to ring, not flags."""
        return self.sample is not None and self.sample.avail_event is not None

    def tr(self, key: str, **values: object) -> str:
        """A string of the view's table."""
        return tr(self.lang, key, **values)

    def say(self, key: str, **values: object) -> str:
        """A string of watching's own table."""
        return t(self.lang, f"watch.{key}", **values)

    def tell(self, area: Area, key: str) -> None:
        """A sentence in a panel that has nothing else to show."""
        for y, line in enumerate(wrap(self.say(key), area.w)):
            area.put(0, y, line, "dim")

    def style(self, name: str, base: str) -> str:
        """``base``, lit up when that word of the sample is another than in the one before, by little enough to
        follow."""
        now, before = self.sample, self._before
        if now is None or before is None or getattr(now, name) == getattr(before, name):
            return base
        moved = max((getattr(now, index) - getattr(before, index)) & 0xFFFF for index in ("avail_idx", "used_idx"))
        return f"{base}+now" if moved <= CALM else base

    def written(self, slot: int) -> bool:
        """Whether anything can stand in that slot of the avail ring: not where the totals tell that avail.idx has not
        come round yet."""
        sample, rates = self.sample, self.moment.watched.rates
        if sample is not None and sample.avail_idx == sample.used_idx == 0 and not rates:
            return False
        if sample is None or sample.avail_idx >= sample.num or not rates or rates[-1].chains is None:
            return True
        return rates[-1].chains > sample.used_idx or slot < sample.avail_idx

    def fresh(self, table: str, row: list[int]) -> bool:
        """Whether that row of ``avail`` or ``used`` is not in the sample before, while one can follow."""
        before = self._before
        idx = "avail_idx" if table == "avail" else "used_idx"
        return before is not None and row not in getattr(before, table) and self.style(idx, "") == "+now"


def amount(number: float | None) -> str:
    """A number as people read it: ``7``, ``0.3``, ``812,345``, ``1.23M``; ``-`` for one that is not known."""
    if number is None:
        return "-"
    if number >= 1e6:
        return f"{number / 1e6:.2f}M"
    return f"{number:.1f}" if 0 < number < 10 and number != int(number) else f"{number:,.0f}"


def brief(number: float | None, whole: int = 10_000) -> str:
    """The same in at most five cells: ``482k``, ``13.8k``; below ``whole`` exactly."""
    if number is None or number < whole or number >= 1e6:
        return amount(number)
    return f"{number / 1e3:.3g}k"


def bits(number: float | None) -> str:
    """Bits per second: ``9.41 Gb/s``."""
    if number is None:
        return "-"
    for unit, name in ((1e9, "Gb/s"), (1e6, "Mb/s"), (1e3, "kb/s")):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return f"{number:.0f} b/s"
