"""The first two rows: what is watched and how we know; the queues there are, and what watching costs."""

from __future__ import annotations

from pathlib import PurePath

from tour.agent.watch_moment import SECOND, Speeds
from tour.view.area import Area
from tour.view.canvas import width_of
from tour.view.text import cut
from tour.view.watch.look import Look, amount

STYLES = {
    "starting": "dim", "live": "live", "paused": "back", "back": "back", "replay": "replay", "ended": "bad",
}  # fmt: skip


def draw(area: Area, look: Look) -> None:
    """Both rows."""
    end = _badges(area, look)
    _title(area, look, end - 2)
    _queues(area, look, _costs(area, look) - 2)


def title(look: Look) -> str:
    """``watching s.sock``, and whose guest it is."""
    watching = look.state.watching
    if watching is None:
        return look.say("title")
    name = look.say("title_of", place=watching.place if look.wide else PurePath(watching.place).name)
    if not look.wide:
        return name
    if not watching.pid:
        return f"{name}   {look.say('nobody')}"
    return f"{name}   {look.say('front_end', name=watching.name or '?', pid=watching.pid)}"


def _title(area: Area, look: Look, end: int) -> None:
    area.put(1, 0, cut(title(look), end - 1), "title")


def _badges(area: Area, look: Look) -> int:
    """From the right: language, where the picture comes from, whether the guest waits, whether we record."""
    words = look.tr("lang")
    start = area.right(0, words, "dim", end=area.w - 2)
    area.hit("key:L", start, 0, width_of(words))
    start = area.right(0, f" {badge(look)} ", f"{STYLES[look.moment.mode]}+now", end=start - 2)
    area.anchor("badge", start, 0, 1)
    if look.moment.held:
        start = area.right(0, f" {look.say('badge.held')} ", "warn+now", end=start - 1)
    if look.moment.recording:
        start = area.right(0, f" {look.say('badge.rec')} ", "bad+now", end=start - 1)
    return start


def badge(look: Look) -> str:
    """LIVE, PAUSED, LOOKING BACK, REPLAY or ENDED, with what belongs to it."""
    moment, hello = look.moment, look.state.hello
    behind = f"{(moment.t_edge - moment.t) / SECOND:.1f}"
    started = hello.started.replace("T", " ").replace("Z", "") if hello else ""
    key = f"badge.{moment.mode}" + ("" if moment.mode != "replay" or moment.playing else "_stands")
    words = look.say(key, device=device_words(look), behind=behind, started=started[:16])
    return words if look.wide or moment.mode != "replay" else words.replace(f"{device_words(look)}", "").strip()


def device_words(look: Look) -> str:
    """Whose device is watched."""
    watching, hello = look.state.watching, look.state.hello
    if look.outside:
        return look.say("device.kernel", pid=watching.pid if watching else 0)
    return look.say("device.engine" if hello is not None and hello.ran_on == "engine" else "device.ours")


def _queues(area: Area, look: Look, end: int) -> None:
    """The queues that fit, the chosen one among them; each can be clicked."""
    names = [_name(look, index) for index in look.moment.queues]
    chosen = look.moment.queue
    first = 0
    while first < chosen and sum(width_of(name) + 2 for name in names[first : chosen + 1]) > end - 4:
        first += 1
    x = 1
    for index in range(first, len(names)):
        if x + width_of(names[index]) > end:
            area.put(x, 1, "…", "dim")
            break
        style = "bad+now" if look.state.rings[index].broken else "turn" if index == chosen else "tab"
        after = area.put(x, 1, names[index], style)
        area.hit(f"queue:{index}", x, 1, after - x)
        x = after + 1


def _name(look: Look, index: int) -> str:
    ring = look.state.rings[index]
    speed = look.moment.speeds.get(index, Speeds())
    if ring.broken:
        return f" {ring.name.upper()} {look.tr('queue.broken')} "
    rate = speed.packets if speed.packets is not None else speed.chains
    guess = "~" if speed.guessed else ""
    return f" {ring.name.upper()} {guess}{amount(rate)}/s " if rate is not None else f" {ring.name.upper()} "


def _costs(area: Area, look: Look) -> int:
    """How often is looked and what it costs; returns where that begins."""
    moment = look.moment
    looks = look.say("looks" if moment.hertz >= 1 else "looks_quiet", hertz=f"{moment.hertz:.0f}")
    key = "own_cpu" if look.wide else "own_cpu_short"
    own = "" if moment.cpu is None else look.say(key, cpu=f"{moment.cpu:.0f}", paints=f"{moment.paints or 0:.0f}")
    return area.right(1, f"{looks}  {own}".rstrip(), "dim", end=area.w - 2)
