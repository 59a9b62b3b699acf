"""A recording as a Mermaid sequence diagram: who did what to whom. Syntax: mermaid.js.org, sequence diagrams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tour.trace import events as ev
from tour.trace.export.acts import telling
from tour.trace.frames import fields
from tour.trace.state import QUEUE_NAMES

PARTIES = (("Q", "you, as QEMU"), ("G", "you, as guest"), ("V", "vhost"), ("T", "tap"), ("P", "peer"))
KEPT = " .,:=()[]{}<>+-*/|_@'\"!?~&%$^"
TYPES = {"0x0806": "ARP", "0x0800": "IPv4"}


def text(events: Iterable[ev.Event]) -> str:
    """The whole diagram. Raises ExportError."""
    with telling():
        told = [line for event in events for line in _event(event)]
    head = ["sequenceDiagram", *(f"    participant {key} as {name}" for key, name in PARTIES)]
    return "\n".join([*head, *(f"    {line}" for line in told)]) + "\n"


def words(told: str) -> str:
    """Text as Mermaid takes it: no semicolon, no number sign, on one line."""
    return "".join(char if char.isalnum() or char in KEPT else " " for char in told).strip()[:160] or "-"


def _event(event: ev.Event) -> Iterator[str]:
    teller = _TELLERS.get(type(event.data))
    if teller is None or (isinstance(event.data, ev.Ioctl) and event.source == "observer"):
        return
    doubt = "~ " if event.inferred else ""
    for arrow, told in teller(event, event.data):
        yield f"{arrow}: {words(doubt + told)}"


Told = Iterator[tuple[str, str]]


def _step(event: ev.Event, data: ev.Step) -> Told:
    if data.mark == "begin":
        yield "Note over Q,P", f"{data.lesson} {data.step}"


def _ioctl(event: ev.Event, data: ev.Ioctl) -> Told:
    index = data.arg.get("index")
    ring = f" {QUEUE_NAMES[index]}" if isinstance(index, int) and index in (0, 1) else ""
    yield "Q->>V", f"{data.name}{ring}"
    yield "V-->>Q", data.errno or str(data.result)


def _syscall(event: ev.Event, data: ev.Syscall) -> Told:
    who = "G" if event.actor == "driver" else "Q"
    yield f"{who}->>{who}", f"{data.name}({', '.join(data.args)}) = {data.errno or data.result}"


def _store(event: ev.Event, data: ev.Store) -> Told:
    who = {"device": "V", "driver": "G"}.get(event.actor, "Q")
    yield f"{who}->>{who}", f"{QUEUE_NAMES[data.queue]} {data.field} = {', '.join(map(str, data.new))}"


def _write(event: ev.Event, data: ev.Write) -> Told:
    who = "V" if event.actor == "device" else "G"
    yield f"{who}->>{who}", f"{len(data.after) // 2} bytes ({data.what}) at GPA {data.gpa:#x}"


def _kick(event: ev.Event, data: ev.Kick) -> Told:
    yield "G-)V", f"kick {QUEUE_NAMES[data.queue]}, eventfd {data.count}"


def _call(event: ev.Event, data: ev.Call) -> Told:
    yield "V-)G", f"call {QUEUE_NAMES[data.queue]}, eventfd {data.count}"


def _count(event: ev.Event, data: ev.Count) -> Told:
    if data.doorbell == "call" and data.count:
        yield "V-)G", f"call {QUEUE_NAMES[data.queue]}, eventfd {data.count}"


def _drain(event: ev.Event, data: ev.Drain) -> Told:
    yield "G->>G", f"call {QUEUE_NAMES[data.queue]} read, it was {data.value}"


def _snapshot(event: ev.Event, data: ev.Snapshot) -> Told:
    entries = ", ".join(f"[{slot}] = {{id {head}, len {length}}}" for slot, head, length in data.used)
    yield "V->>V", f"{QUEUE_NAMES[data.queue]} used.idx {data.used_idx}, flags {data.used_flags} {entries}"


def _packet(event: ev.Event, data: ev.Packet) -> Told:
    if data.where != "tap":
        return
    frame = bytes.fromhex(data.frame)
    kind = next((TYPES.get(field.value, field.value) for field in fields(frame) if field.name == "eth.type"), "frame")
    told = f"{kind}, {len(frame)} bytes"
    pair = ("V->>T", "T->>P") if data.direction == "out" else ("P->>T", "T->>V")
    for arrow in pair:
        yield arrow, told


def _action(event: ev.Event, data: ev.Action) -> Told:
    if data.verb == "reap":
        yield "G->>G", f"reap {QUEUE_NAMES[data.queue]}, descriptor {data.detail.get('head')}"


_TELLERS: dict[type, Callable[[ev.Event, Any], Told]] = {
    ev.Step: _step, ev.Ioctl: _ioctl, ev.Syscall: _syscall, ev.Store: _store, ev.Write: _write, ev.Kick: _kick,
    ev.Call: _call, ev.Count: _count, ev.Drain: _drain, ev.Snapshot: _snapshot, ev.Packet: _packet,
    ev.Action: _action,
}  # fmt: skip
