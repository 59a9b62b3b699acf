"""Who there is and what each did last: the guest's driver, the device's worker, the port."""

from __future__ import annotations

from tour.agent.watch_moment import Lap
from tour.view.area import Area
from tour.view.panels.who import WORKER_STATES
from tour.view.text import cut
from tour.view.watch.look import Look, brief

COLUMNS = (1, 31, 60)
WIDTH = 78


def draw(area: Area, look: Look) -> None:
    """A name and, below, what was done since the look before."""
    columns = [x * area.w // WIDTH for x in COLUMNS] + [area.w + 1]
    lap = look.moment.laps[-1] if look.moment.laps else None
    people = (
        ("driver", "D " + _driver(look), _did(look, lap)),
        ("device", "V " + _worker(look), _device_did(look, lap)),
        ("network", _port(look), _passed(look)),
    )
    for (style, name, did), x, end in zip(people, columns, columns[1:], strict=False):
        area.put(x, 0, cut(name, end - x - 1), style)
        indent = 2 if style != "network" else 0
        area.put(x + indent, 1, cut(did, end - x - 1 - indent), style)


def _driver(look: Look) -> str:
    watching = look.state.watching
    return look.say("who.driver", name=watching.name) if watching and watching.name else look.say("who.guest")


def _worker(look: Look) -> str:
    worker = look.state.worker
    if not worker.name:
        return look.say("who.worker")
    if worker.state not in WORKER_STATES or not worker.state:
        return worker.name
    return f"{worker.name}  {look.tr(f'worker.{worker.state}')} ({worker.state})"


def _port(look: Look) -> str:
    net = look.state.hello.net if look.state.hello else ""
    return look.say(f"who.{net}") if net in ("tap", "null", "socketpair") else look.say("who.port")


def _did(look: Look, lap: Lap | None) -> str:
    if look.sample is not None and look.sample.held and lap is not None and not lap.published:
        return look.say("who.waits")
    if lap is None:
        return look.say("who.nothing")
    key = "who.published" if lap.kicks is None else "who.published_kicks"
    return look.say(key, n=brief(lap.published), kicks=brief(lap.kicks)) + _span(look)


def _device_did(look: Look, lap: Lap | None) -> str:
    if look.ring.broken:
        return look.tr("queue.broken")
    if look.sample is not None and look.sample.held:
        return look.say("who.held")
    if lap is None:
        return look.say("who.nothing")
    key = "who.returned" if lap.turns is None else "who.returned_turns"
    return look.say(key, n=brief(lap.returned), turns=brief(lap.turns))


def _span(look: Look) -> str:
    """Over how long, where that is a rule."""
    seconds = look.moment.lap_seconds if look.wide else 0
    return look.say("who.span", n=f"{seconds:g}") if seconds else ""


def _passed(look: Look) -> str:
    pair = look.moment.queue & ~1
    told = [one.rates[-1].packets if (one := look.state.watched_of(pair + way)).rates else None for way in (0, 1)]
    if told[0] is None and told[1] is None:
        return "-"
    return look.say("who.passed", back=brief(told[0], 1000), out=brief(told[1], 1000))
