"""Names of things in a state, and small predicates over two states.

The same words are used by a lesson's checks, by its predictions and by tests:
``tx.avail.idx == 1``, ``tx.used.idx == tx.used.idx@before + 1``, ``changed tx.desc[0].flags``.
``@before`` is the state at the step's begin. An index may be ``slot`` (where the driver writes next) or ``uslot``
(where it reaps next), both as they were before the step.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from tour.errors import UsageError
from tour.trace.state import Ring, State

Value = int | float | str | None
IDX_WORDS = ("avail.idx", "used.idx", "last_avail_idx", "last_used_idx", "avail_shadow", "used_shadow")


class PathError(UsageError):
    """A path or predicate that means nothing; a lesson author's mistake."""


def read(state: State, path: str, before: State | None = None) -> Value:
    """The value at ``path``. Raises PathError for an unknown path."""
    head, _, rest = path.partition(".")
    if head in ("tx", "rx"):
        return _ring_value(state.tx if head == "tx" else state.rx, rest, before or state)
    if head in _NAMED:
        return _NAMED[head](state, rest)
    getter = _PLAIN.get(path)
    return getter(state) if getter else _listed(state, path)


def _points(state: State, name: str) -> int:
    """How many points a plot has, or one of its series: ``plot.latency``, ``plot.latency.event_idx``."""
    plot, _, series = name.partition(".")
    return sum(1 for point in state.plots.get(plot, ()) if series in ("", point.series))


_CPU = ("ip", "returns", "exits", "interrupts", "halted", "reason", "port", "value", "program")


def _cpu(state: State, name: str) -> Value:
    """Of a guest's processor: ``cpu.returns``, ``cpu.exits``, ``cpu.halted`` (0 or 1), a register ``cpu.ax``."""
    if state.cpu is None:
        return None
    if name not in _CPU:
        return state.cpu.registers.get(name)
    value: Value = getattr(state.cpu, name)
    return int(value) if isinstance(value, bool) else value


_NAMED: dict[str, Callable[[State, str], Value]] = {
    "figure": lambda state, name: state.figures.get(name),
    "listing": lambda state, name: len(state.listings[name]) if name in state.listings else None,
    "plot": _points,
    "cpu": _cpu,
}
"""Heads whose rest is a name that a run brings: ``figure.loop.syscalls``, ``listing.copies`` (rows), ``cpu.ax``."""

_LISTED = re.compile(r"(table|region)\[([0-9]{1,3})\]\.(gpa|size|hva)")
_MEM = re.compile(r"mem\[(0x[0-9a-f]{1,16}):([0-9]{1,3})\]")
_BIT = re.compile(r"(.+)\.bit\[([0-9]{1,2})\]")


def _listed(state: State, path: str) -> Value:
    """One of many: ``table[0].gpa`` (as vhost was told), ``region[0].hva`` (as mapped), ``offered.bit[33]``;
    ``mem[0x8000a:2]``: two bytes of a buffer, in hexadecimal, as last written there."""
    if match := _LISTED.fullmatch(path):
        rows: tuple[Any, ...] = (state.table or ()) if match[1] == "table" else _by_index(state)
        return getattr(rows[int(match[2])], match[3]) if int(match[2]) < len(rows) else None
    if match := _MEM.fullmatch(path):
        return _bytes_at(state, int(match[1], 16), int(match[2]))
    match = _BIT.fullmatch(path)
    if match is None or match[1] not in WORDS or int(match[2]) > 63:
        raise PathError(f"Nothing is called '{path}'.")
    word = _PLAIN[match[1]](state)
    return word >> int(match[2]) & 1 if isinstance(word, int) else None


def _bytes_at(state: State, gpa: int, size: int) -> str | None:
    """Bytes that lie within one write, the newest that covers them; None where none does."""
    for start, data in reversed(state.buffers.items()):
        if start <= gpa and gpa + size <= start + len(data) // 2:
            return data[2 * (gpa - start) : 2 * (gpa - start + size)]
    return None


def _by_index(state: State) -> tuple[Any, ...]:
    return tuple(sorted(state.regions, key=lambda region: region.index))


def _tx_buffer(state: State) -> str:
    entry = state.tx.desc[0] if state.tx.desc else None
    spans = sorted(state.buffers.items())
    if entry is None:
        return "".join(data for gpa, data in spans if not _in_rx(state, gpa))
    return "".join(data for gpa, data in spans if entry[0] <= gpa < entry[0] + entry[1])


def _in_rx(state: State, gpa: int) -> bool:
    return any(entry and entry[0] <= gpa < entry[0] + entry[1] for entry in state.rx.desc)


WORDS = ("offered", "features", "device.features", "driver.features")
"""Feature words: GET_FEATURES, SET_FEATURES, what the network device offers, what the driver acknowledged."""

_PLAIN: dict[str, Callable[[State], Value]] = {
    "packets.out": lambda state: state.packets_out,
    "packets.in": lambda state: state.packets_in,
    "opened": lambda state: int(state.opened),
    "owner": lambda state: int(state.owner),
    "threads": lambda state: _threads(state),
    "holders": lambda state: len(state.holders.found) if state.holders else None,
    "worker": lambda state: int(state.worker.form != "" and state.worker.state != "X"),
    "worker.state": lambda state: state.worker.state,
    "worker.form": lambda state: state.worker.form,
    "worker.name": lambda state: state.worker.name,
    "buffer.tx": _tx_buffer,
    "offered": lambda state: state.offered,
    "features": lambda state: state.features,
    "device.features": lambda state: state.device_features,
    "driver.features": lambda state: state.driver_features,
    "mem_table": lambda state: state.mem_table,
    "translated.hva": lambda state: state.translated.hva if state.translated else None,
    "translated.fault": lambda state: state.translated.fault if state.translated else None,
    "last.name": lambda state: state.called.name,
    "last.errno": lambda state: state.called.errno,
    "last.num": lambda state: state.called.num,
    "last.result": lambda state: state.called.result,
}


def _threads(state: State) -> Value:
    """New threads that were taken for a worker, None before anybody looked."""
    return None if state.threads is None else int(state.threads.tid != 0)


def _place(part: str) -> Callable[[Ring], Value]:
    return lambda ring: getattr(ring, f"place_{part}") if ring.num else None


_WORDS: dict[str, Callable[[Ring], Value]] = {
    "avail.idx": lambda ring: ring.avail_idx,
    "avail.flags": lambda ring: ring.avail_flags,
    "avail.used_event": lambda ring: ring.used_event,
    "used.idx": lambda ring: ring.used_idx,
    "used.flags": lambda ring: ring.used_flags,
    "used.avail_event": lambda ring: ring.avail_event,
    "vring_num": lambda ring: ring.vring_num,
    "base": lambda ring: ring.base,
    "addr.desc": lambda ring: ring.addr_desc,
    "addr.avail": lambda ring: ring.addr_avail,
    "addr.used": lambda ring: ring.addr_used,
    "place.desc": _place("desc"),
    "place.avail": _place("avail"),
    "place.used": _place("used"),
    "backend": lambda ring: ring.backend,
    "kick.fd": lambda ring: ring.kick.fd,
    "call.fd": lambda ring: ring.call.fd,
    "err.fd": lambda ring: ring.err.fd,
    "kick.given": lambda ring: ring.kick.given,
    "call.given": lambda ring: ring.call.given,
    "err.given": lambda ring: ring.err.given,
    "kick.count": lambda ring: ring.kick.count,
    "call.count": lambda ring: ring.call.count,
    "err.count": lambda ring: ring.err.count,
    "kick.total": lambda ring: ring.kick.total,
    "call.total": lambda ring: ring.call.total,
    "last_avail_idx": lambda ring: ring.last_avail_idx,
    "used_shadow": lambda ring: ring.used_shadow,
    "last_used_idx": lambda ring: ring.last_used_idx,
    "avail_shadow": lambda ring: ring.avail_shadow,
    "num": lambda ring: ring.num,
    "num_free": lambda ring: ring.num_free,
    "waiting": lambda ring: ring.waiting,
    "to_reap": lambda ring: ring.to_reap,
    "held_by_device": lambda ring: sum(index < ring.num for index in ring.with_device()),
    "broken": lambda ring: ring.broken,
}

_INDEXED = re.compile(r"(desc|avail\.ring|used\.ring)\[(slot|uslot|[0-9]{1,5})\](?:\.(\w+))?")
_FIELDS = {"desc": ("addr", "len", "flags", "next"), "avail.ring": (), "used.ring": ("id", "len")}


def _ring_value(ring: Ring, rest: str, before: State) -> Value:
    if rest in _WORDS:
        return _WORDS[rest](ring)
    match = _INDEXED.fullmatch(rest)
    if match is None or match[3] not in (None, *_FIELDS[match[1]]):
        raise PathError(f"Nothing is called '{ring.name}.{rest}'.")
    table, index, field = match.groups()
    slot = _index(index, before.rings[ring.index])
    return _entry(ring, table, slot, field)


def _index(text: str, ring: Ring) -> int:
    if text == "slot":
        return ring.avail_idx % max(ring.num, 1)
    if text == "uslot":
        return ring.last_used_idx % max(ring.num, 1)
    return int(text)


def _entry(ring: Ring, table: str, slot: int, field: str | None) -> Value:
    tables: dict[str, Sequence[Any]] = {"desc": ring.desc, "avail.ring": ring.avail_ring, "used.ring": ring.used_ring}
    rows = tables[table]
    if not 0 <= slot < len(rows):
        return None
    row = rows[slot]
    if table == "avail.ring" or row is None:
        return row  # type: ignore[no-any-return]
    return str(row) if field is None else int(row[_FIELDS[table].index(field)])


def holds(expr: str, before: State, after: State) -> bool:
    """Whether the predicate is true of the two states. Raises PathError when it cannot be read."""
    word, _, path = expr.partition(" ")
    if word in ("changed", "unchanged"):
        moved = read(before, path, before) != read(after, path, before)
        return moved == (word == "changed")
    left, sign, right = _split(expr)
    return _OPERATORS[sign](_operand(left, before, after), _operand(right, before, after))


def actual(expr: str, before: State, after: State) -> str:
    """What was found where the predicate looks, for a checklist: ``tx.avail.idx is 0``."""
    word, _, path = expr.partition(" ")
    if word in ("changed", "unchanged"):
        return f"{read(before, path, before)} -> {read(after, path, before)}"
    left, _, _ = _split(expr)
    return str(_operand(left, before, after))


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[Value, Value], bool]:
    """An order is one of numbers; of what is not known, or is no number, it is false."""
    return lambda a, b: isinstance(a, int | float) and isinstance(b, int | float) and compare(a, b)


_OPERATORS: dict[str, Callable[[Value, Value], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": _numbers(operator.ge),
    "<=": _numbers(operator.le),
    ">": _numbers(operator.gt),
    "<": _numbers(operator.lt),
}
_COMPARE = re.compile(r"\s*(.+?)\s*(==|!=|>=|<=|>|<)\s*(.+?)\s*")


def _split(expr: str) -> tuple[str, str, str]:
    match = _COMPARE.fullmatch(expr)
    if match is None:
        raise PathError(f"'{expr}' is not a predicate.")
    return match.group(1), match.group(2), match.group(3)


def _operand(text: str, before: State, after: State) -> Value:
    """A number, a quoted text, a path, a path@before; numbers may be added: indices wrap at 65536."""
    base, sign, extra = _sum(text)
    if re.fullmatch(r"-?\d+|0x[0-9a-f]+", base):
        return int(base, 16 if "x" in base else 10)
    if re.fullmatch(r"-?\d+\.\d+", base):
        return float(base)
    if base.startswith('"'):
        return base.strip('"')
    path, _, when = base.partition("@")
    value = read(before if when == "before" else after, path, before)
    if not extra or not isinstance(value, int):
        return value
    total = value + (extra if sign == "+" else -extra)
    return total & 0xFFFF if path.partition(".")[2] in IDX_WORDS else total


def _sum(text: str) -> tuple[str, str, int]:
    match = re.fullmatch(r"(.+?)\s+([+-])\s+(\d+)", text)
    if match is None:
        return text, "+", 0
    return match.group(1), match.group(2), int(match.group(3))
