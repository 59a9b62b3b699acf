"""The canonical transcript of a run: what must be equal on every device, and nothing that may differ.

The calls made and their results, what kind of thread the worker is, per queue the completed chains in used order
(head, len) and the bytes the device wrote, and the frames at the peer in order. Not in it: times, step sizes of
used.idx, flags and event fields, the order between queues. File descriptors appear by their role, addresses of this
process as guest addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from tour.trace import events as ev
from tour.trace.fold import fold
from tour.trace.frames import NET_HDR_LEN, unnumbered
from tour.trace.state import QUEUE_NAMES, State

OUT = " returned "


class Transcript(msgspec.Struct, frozen=True):
    """``calls`` in order as text; ``worker`` the forms it was seen in; ``used`` and ``written`` by queue name;
    ``frames`` as (direction, hex)."""

    calls: tuple[str, ...]
    worker: tuple[str, ...]
    used: dict[str, tuple[tuple[int, int], ...]]
    written: dict[str, tuple[tuple[int, str], ...]]
    frames: tuple[tuple[str, str], ...]


def transcript(events: Iterable[ev.Event]) -> Transcript:
    """The canonical transcript of a run's events."""
    keeper = _Keeper()
    for event in events:
        keeper.take(event)
    return Transcript(
        tuple(keeper.calls),
        tuple(keeper.worker),
        {name: tuple(entries) for name, entries in keeper.used.items()},
        {name: tuple((gpa, _packet(data).hex()) for gpa, data in spans) for name, spans in keeper.written.items()},
        tuple(keeper.frames),
    )


def _packet(data: bytes) -> bytes:
    """What the device wrote at one place: a header and a frame, or the rest of one."""
    return data[:NET_HDR_LEN] + unnumbered(data[NET_HDR_LEN:])


def differences(one: Transcript, other: Transcript) -> list[str]:
    """Where two transcripts differ, one line each; empty when they are equal."""
    found = []
    for name in one.__struct_fields__:
        left, right = getattr(one, name), getattr(other, name)
        if left != right:
            found.append(f"{name}: {_first_difference(left, right)}")
    return found


def part(one: Transcript, mask: str) -> Any:
    """What ``mask`` names: ``worker``, ``calls.NAME`` (what those calls returned, not whether they went well),
    ``used.QUEUE`` or ``written.QUEUE``. Raises KeyError for anything else."""
    field, _, name = mask.partition(".")
    if mask == "worker":
        return one.worker
    if field == "calls":
        return [line.partition(OUT)[2] for line in one.calls if line.startswith(f"{name}(")]
    by_queue: dict[str, dict[str, Any]] = {"used": {**one.used}, "written": {**one.written}}
    return by_queue[field][name]


def masked(one: Transcript, mask: str) -> Transcript:
    """``one`` without its ``part`` of that name."""
    field, _, name = mask.partition(".")
    if mask == "worker":
        return replace(one, worker=())
    if field == "calls":
        kept = (line.partition(OUT)[0] if line.startswith(f"{name}(") else line for line in one.calls)
        return replace(one, calls=tuple(kept))
    return replace(one, **{field: getattr(one, field) | {name: ()}})


def _first_difference(left: Any, right: Any) -> str:
    if isinstance(left, dict):
        apart = [key for key in left if left[key] != right[key]]
        return "; ".join(f"{key}: {_first_difference(left[key], right[key])}" for key in apart)
    for number, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return f"entry {number}: {a} / {b}"
    return f"{len(left)} entries / {len(right)} entries"


class _Keeper:
    """Collects a transcript while folding."""

    def __init__(self) -> None:
        self.state = State()
        self.calls: list[str] = []
        self.worker: list[str] = []
        self.used: dict[str, list[tuple[int, int]]] = {name: [] for name in QUEUE_NAMES}
        self.written: dict[str, list[tuple[int, bytes]]] = {name: [] for name in QUEUE_NAMES}
        self.frames: list[tuple[str, str]] = []
        self.roles: dict[int, str] = {}

    def take(self, event: ev.Event) -> None:
        """Fold one event and keep what belongs in the transcript."""
        before, self.state = self.state, fold(self.state, event)
        data = event.data
        if isinstance(data, ev.Doorbell):
            self.roles[data.fd] = f"{QUEUE_NAMES[data.queue]} {data.doorbell}"
        elif isinstance(data, ev.Ioctl) and event.source == "control":
            self.calls.append(self._call(data))
        elif isinstance(data, ev.Worker):
            self.worker += [data.form] * (data.form not in self.worker)
        elif isinstance(data, ev.Packet) and data.where == "tap":
            self.frames.append((data.direction, unnumbered(bytes.fromhex(data.frame)).hex()))
        elif isinstance(data, ev.Write) and event.actor == "device":
            self._write(QUEUE_NAMES[data.queue], data.gpa, bytes.fromhex(data.after))
        elif isinstance(data, ev.Store | ev.Snapshot) and event.actor == "device":
            self._used(before, data.queue)

    def _used(self, before: State, queue: int) -> None:
        ring, start = self.state.rings[queue], before.rings[queue].used_idx
        for step in range(min((ring.used_idx - start) & 0xFFFF, ring.num)):
            entry = ring.used_ring[(start + step) % ring.num]
            if entry is not None:
                self.used[ring.name].append(entry)

    def _write(self, name: str, gpa: int, data: bytes) -> None:
        spans = self.written[name]
        if spans and spans[-1][0] + len(spans[-1][1]) == gpa:
            spans[-1] = (spans[-1][0], spans[-1][1] + data)
        else:
            spans.append((gpa, data))

    def _call(self, data: ev.Ioctl) -> str:
        line = f"{data.name}({self._fields(data.arg)}) = {data.errno or data.result}"
        return line + OUT + self._fields(data.out) if data.out else line

    def _fields(self, fields: dict[str, Any]) -> str:
        return ", ".join(f"{key} {self._plain(key, value)}" for key, value in fields.items())

    def _plain(self, key: str, value: Any) -> Any:
        if key == "fd":
            return self.roles.get(value, "none" if value < 0 else "port")
        if key == "regions":
            return [(region["gpa"], region["size"]) for region in value]
        if key in ("desc", "avail", "used", "hva"):
            return self._gpa(value)
        return value

    def _gpa(self, hva: int) -> str:
        for region in self.state.regions:
            if region.hva <= hva < region.hva + region.size:
                return f"gpa {region.gpa + hva - region.hva:#x}"
        return "outside"
