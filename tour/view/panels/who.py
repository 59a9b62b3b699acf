"""Who there is and whose turn it is: control, driver, device, the network."""

from __future__ import annotations

from tour.lesson.sandbox import SANDBOX
from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.text import cut

BEFORE = ("orient", "predict", "do")
ROOMY = 96
NARROW = (2, 21, 41, 59, 72)
WIDE = (2, 24, 50, 76, 92)
WIDE_WIDTH, NARROW_WIDTH = 102, 78
TWO_DIGITS = 10
WORKER_STATES = "RSDIZTtX"


def height(view: View) -> int:
    """Rows wanted."""
    return 3 if view.wide else 2


def draw(area: Area, view: View) -> None:
    """Names, planes where there is room, and what each is doing."""
    roomy = area.w >= ROOMY
    columns = _columns(area.w, wide=roomy)
    for index, (anchor, style, name, plane, status) in enumerate(people(view, roomy)):
        x, room = columns[index], columns[index + 1] - columns[index] - 1
        active = status[1]
        area.put(x, 0, cut(name, room), f"{style}+step" if active else style)
        if view.wide:
            _plane(area, x + 2 if index < 3 else x, plane)
        at = x + (1 if active else 2) if index < 3 else x
        area.put(at, area.h - 1, cut(f" {status[0]} " if active else status[0], room), "turn" if active else style)
        area.anchor(anchor, x, 0, room, area.h)


def _plane(area: Area, x: int, plane: str) -> None:
    """The plane, moved to the left where it would not fit."""
    area.put(max(0, min(x, area.w - width_of(plane))), 1, plane, "dim")


Person = tuple[str, str, str, str, tuple[str, bool]]
"""Anchor, style, name, plane; what it is doing, and whether it is its turn."""


def people(view: View, roomy: bool) -> tuple[Person, ...]:
    """Control, driver, device, port, peer; ``roomy``: in more words."""
    return _control(view), _driver(view, roomy), _device(view, roomy), _port(view, roomy), _peer(view, roomy)


def _columns(w: int, *, wide: bool) -> list[int]:
    base, width = (WIDE, WIDE_WIDTH) if wide else (NARROW, NARROW_WIDTH)
    return [x * w // width for x in base] + [w + 1]


def turn_of(view: View, actor: str) -> str:
    """``turn``, ``acted`` or empty: the one thing to know about an actor now."""
    moment = view.moment
    if moment.badge.kind == "back" or not moment.timeline.at_edge:
        return "acted" if view.state.acted == actor else ""
    if moment.phase in BEFORE:
        return "turn" if moment.actor == actor and not moment.ended else ""
    return "acted" if moment.actor == actor or actor in view.acted else ""


def _status(view: View, actor: str, idle: str) -> tuple[str, bool]:
    turn = turn_of(view, actor)
    if not turn:
        return idle, False
    stateless = actor == "device" and not view.state.worker.state
    its = "guest" if stateless or (actor == "driver" and view.state.cpu) else actor
    key = "who.acting" if view.moment.busy and turn == "turn" else f"who.{turn}.{its}"
    return view.tr(key, state=view.state.worker.state or "-"), True


def _control(view: View) -> Person:
    rings = view.state.rings
    ready = all(ring.backend is not None for ring in rings)
    watching = view.state.watching
    idle = view.tr("who.idle" if watching else "who.ready" if ready else "who.setting_up")
    name = view.tr("who.qemu", pid=watching.pid) if watching else view.tr("who.control")
    return "control", "control", f"C {name}", view.tr("who.control_plane"), (
        _status(view, "control", idle))  # fmt: skip


def _driver(view: View, roomy: bool) -> Person:
    cpu = view.state.cpu
    ours = "who.driver_wide" if roomy else "who.driver"
    name = view.tr("who.its_guest" if view.state.watching else "who.in_kvm" if cpu else ours)
    idle = view.tr("who.halted" if cpu and cpu.halted else "who.idle")
    return "driver", "driver", "D " + name, view.tr("who.data_plane"), _status(view, "driver", idle)


def _device(view: View, roomy: bool) -> Person:
    if view.moment.lesson == SANDBOX and view.moment.actor == "device":
        turn = turn_of(view, "device") == "acted"
        status = (view.tr("who.acted.driver"), True) if turn else (view.tr("who.idle"), False)
        return "worker", "device", "V " + view.tr("who.you_device"), view.tr("who.data_plane"), status
    worker = view.state.worker
    name = worker.name or view.tr("who.device")
    if roomy and worker.name:
        name = view.tr("who.worker", name=name)
    number = view.state.serving + 1 if view.state.apart else ""
    return "worker", "device", f"V{number} {name}", view.tr("who.data_plane"), (
        _status(view, "device", worker_words(view, roomy)))  # fmt: skip


def worker_words(view: View, roomy: bool) -> str:
    """The worker's state in words with /proc's letter."""
    state = view.state
    if not state.worker.state:
        return view.tr("who.not_open" if not state.opened else "worker.hidden" if state.owner else "worker.none")
    return worker_letter(view) if roomy else worker_letter(view).replace(", /proc", "")


def worker_letter(view: View) -> str:
    """``sleeping (S, /proc)``."""
    letter = view.state.worker.state
    words = view.tr(f"worker.{letter}") if letter in WORKER_STATES else view.tr("worker.other")
    return f"{words} ({letter}, /proc)"


def port_name(view: View) -> str:
    """What the port is called: the link's name (a tap's, before there is any) or the socketpair's."""
    hello = view.state.hello
    if hello and hello.net == "socketpair":
        return view.tr("who.socketpair")
    return view.state.peer.name or view.tr("who.tap")


def _port(view: View, roomy: bool) -> Person:
    state = view.state
    brief = not roomy and max(state.packets_out, state.packets_in) >= TWO_DIGITS
    way = "who.out" if brief else "who.from_guest"
    text = view.tr(way, n=state.packets_out) if state.peer.name else view.tr("who.no_port")
    if state.watching:
        text = "-"
    elif state.packets_in:
        text = view.tr("who.both_brief" if brief else "who.both_ways", out=state.packets_out, back=state.packets_in)
    return "tap", _changed(view, "packets.out", "packets.in"), port_name(view), view.tr("who.network"), (
        text, turn_of(view, "network") == "turn")  # fmt: skip


def _changed(view: View, *keys: str) -> str:
    now = any(key in view.state.changed for key in keys)
    step = any(key in view.state.step_changed for key in keys)
    return "network+now" if now else "network+step" if step else "network"


def _peer(view: View, roomy: bool) -> Person:
    peer = view.state.peer
    count = 0 if view.state.watching else view.state.packets_out
    seen = view.tr("who.seen", n=count) if roomy else str(count or "-")
    name = view.tr("who.peer" if peer.real or not peer.name else "who.responder")
    return "peer", "network", name, peer.ip, (seen, False)
