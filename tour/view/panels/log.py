"""System calls, vhost calls and stores as they were, newest last, with the bytes that travelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tour.trace import events as ev
from tour.trace.state import QUEUE_NAMES
from tour.view.area import Area, View, observes
from tour.view.canvas import width_of
from tour.view.say import detail_words
from tour.view.text import cut

HEX_ROOM = 40


def draw(area: Area, view: View) -> None:
    """The last events that fit; scrolled upwards by ``scroll`` rows."""
    log = [event for event in view.state.log if not isinstance(event.data, ev.Action)]
    back = max(0, min(view.ui.scroll.get("syscalls", 0), len(log) - area.h))
    shown = log[max(0, len(log) - area.h - back) : len(log) - back]
    if not shown:
        area.put(0, 0, view.tr("log.none"), "dim")
    hex_at = max(area.w - HEX_ROOM, 44) if area.w >= 70 else area.w
    if area.w < 100:
        hex_at = max(50, area.w - 22)
    for y, event in enumerate(shown):
        text, data = line(event, view.kernel)
        now = event is view.state.last
        style = "dim" if observes(event) else f"{event.actor}+now" if now else event.actor
        area.put(0, y, _fit(text, hex_at - 2), style)
        area.put(hex_at, y, hex_words(data, area.w - hex_at), "code" if now else "dim")


def _fit(text: str, room: int) -> str:
    """A call that is too long loses the end of its arguments, never its result."""
    call, equals, result = text.rpartition("  = ")
    if not equals or width_of(text) <= room:
        return cut(text, room)
    return cut(call, max(8, room - width_of(equals + result))) + equals + result


def hex_words(data: str, room: int) -> str:
    """Hexadecimal text in pairs, cut with dots."""
    pairs = [data[at : at + 2] for at in range(0, len(data), 2)]
    fits = max(0, (room + 1) // 3)
    if len(pairs) <= fits:
        return " ".join(pairs)
    return " ".join([*pairs[: max(0, fits - 1)], "..."])


def queue_name(queue: int) -> str:
    """``tx`` or ``rx``, or the number of a queue there is none of."""
    return QUEUE_NAMES[queue] if queue in (0, 1) else f"queue{queue}"


def line(event: ev.Event, kernel: bool) -> tuple[str, str]:
    """One event as text and the bytes of it."""
    maker = _MAKERS.get(type(event.data))
    text, raw = maker(event.data, kernel) if maker else (type(event.data).__name__.lower(), "")
    return ("~ " if event.inferred else "") + text, raw


def _result(result: int, errno: str | None) -> str:
    return f"= {result}" if errno is None else f"= -1 {errno}"


def _syscall(data: ev.Syscall, kernel: bool) -> tuple[str, str]:
    return f"{data.name}({', '.join(data.args)})  {_result(data.result, data.errno)}", ""


def _ioctl(data: ev.Ioctl, kernel: bool) -> tuple[str, str]:
    call = f"ioctl({data.fd}, " if kernel else "device("
    arg = f", {detail_words(data.arg)}" if data.arg else ""
    out = f" {detail_words(data.out)}" if data.out else ""
    return f"{call}{data.name}{arg})  {_result(data.result, data.errno)}{out}", data.arg_hex or data.out_hex


def _translated(data: ev.Translated, kernel: bool) -> tuple[str, str]:
    found = data.fault if data.hva is None else f"HVA {data.hva:#x}"
    return f"table  GPA {data.gpa:#x}, {data.size} B  -> {found}", ""


def _store(data: ev.Store, kernel: bool) -> tuple[str, str]:
    name = f"{queue_name(data.queue)}.{data.field}"
    if len(data.new) == 1 and len(data.old) == 1 and "ring" not in data.field:
        return f"store  {name:<16} {data.old[0]} -> {data.new[0]}", data.after
    values = ", ".join(f"{value:#x}" if value > 0xFFFF else str(value) for value in data.new)
    return f"store  {name:<16} = " + (f"{{{values}}}" if len(data.new) > 1 else values), data.after


def _write(data: ev.Write, kernel: bool) -> tuple[str, str]:
    return f"write  {data.what:<16} {len(data.after) // 2} B at GPA {data.gpa:#x}", data.after


def _kick(data: ev.Kick, kernel: bool) -> tuple[str, str]:
    return f"kick   {queue_name(data.queue):<16} eventfd_write({data.fd}, {data.value})  -> {data.count}", ""


def _call(data: ev.Call, kernel: bool) -> tuple[str, str]:
    return f"call   {queue_name(data.queue):<16} eventfd_write({data.fd}, 1)  -> {data.count}", ""


def _drain(data: ev.Drain, kernel: bool) -> tuple[str, str]:
    return f"drain  {queue_name(data.queue):<16} eventfd_read({data.fd}) = {data.value}", ""


def _snapshot(data: ev.Snapshot, kernel: bool) -> tuple[str, str]:
    entries = "".join(f" [{slot}]={{{head}, {length}}}" for slot, head, length in data.used)
    return f"seen   {queue_name(data.queue)}.used         idx {data.used_idx}, flags {data.used_flags}{entries}", ""


def _exit(data: ev.Exit, kernel: bool) -> tuple[str, str]:
    access = "" if data.port is None else f" port {data.port:#x}, {data.size} B, value {data.value}"
    return f"KVM_RUN  -> {data.reason}{access}", ""


_MAKERS: dict[type, Callable[[Any, bool], tuple[str, str]]] = {
    ev.Syscall: _syscall, ev.Ioctl: _ioctl, ev.Translated: _translated, ev.Store: _store, ev.Write: _write,
    ev.Kick: _kick, ev.Call: _call, ev.Drain: _drain, ev.Snapshot: _snapshot,
    ev.Exit: _exit,
}  # fmt: skip
