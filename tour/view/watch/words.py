"""Watching in words: the plain twin's lines."""

from __future__ import annotations

from msgspec.structs import replace

from tour.agent.watch_moment import SECOND, WatchMoment
from tour.i18n import Lang
from tour.trace.state import State
from tour.view.ui import Ui
from tour.view.watch import silence
from tour.view.watch.distance import distance
from tour.view.watch.head import device_words
from tour.view.watch.look import Look, amount, bits
from tour.view.words import fault_words


def opening(state: State, lang: Lang) -> str:
    """What is watched, once."""
    look = Look(WatchMoment(lang, state, 0, "live"), Ui(), wide=True)
    place = state.watching.place if state.watching else ""
    return look.say("plain.begin", place=place, device=device_words(look))


def lines(moment: WatchMoment) -> list[str]:
    """One line for each queue of which something was seen."""
    return [
        _line(Look(replace(moment, queue=index), Ui(), wide=False)) for index in moment.queues
        if moment.state.watched_of(index).sample is not None
    ]  # fmt: skip


def _line(look: Look) -> str:
    sample, ring = look.sample, look.ring
    assert sample is not None
    parts = []
    if ring.broken:
        parts.append(look.say("plain.broken", reason=fault_words(ring.broken, look.lang)))
    elif not sample.running:
        parts.append(look.say("plain.rests"))
    if sample.held:
        parts.append(look.say("plain.held"))
    if sample.running and not ring.broken:
        parts += [_speed(look), _distance(look), silence.kicks(look), silence.calls(look)]
    when = f"{(look.moment.t - look.moment.t_first) / SECOND:+.1f}s"
    separator = "；" if look.lang == "zh" else "; "
    state = separator.join(part.rstrip(".。").strip() for part in parts if part)
    return look.say("plain.line", time=when, name=ring.name.upper(), state=state)


def _speed(look: Look) -> str:
    speeds = look.speeds
    if speeds.guessed:
        return look.say("plain.guessed", chains=amount(speeds.chains))
    return look.say(
        "plain.speed", packets=amount(speeds.packets), bits=bits(speeds.bits), kicks=amount(speeds.kicks),
        calls=amount(speeds.calls), saved=amount(speeds.calls_saved), turns=amount(speeds.turns),
    )  # fmt: skip


def _distance(look: Look) -> str:
    sample = look.sample
    assert sample is not None
    far = distance(sample)
    if far.waiting is None:
        return look.say("plain.open", n=far.open, num=sample.num)
    return look.say("plain.distance", waiting=far.waiting, work=far.work, num=sample.num)
