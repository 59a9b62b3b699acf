"""What a student's code may do to what it is handed: the one door between the jail and the judge's memory.

A handle stands for a ring, guest memory, a doorbell or a port. Each operation is looked up, its arguments are
checked once, it is done on the judge's own object, and told to the judge's log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tour.errors import GuestMemoryError
from tour.memory.guest import GuestMemory
from tour.virtqueue.ring import Desc, Ring, Used

U16, U32, U64 = (1 << 16) - 1, (1 << 32) - 1, (1 << 64) - 1
BUFFER_MAX = 1 << 16


class Refused(Exception):
    """An operation that cannot be: it becomes an exception in the student's code. ``kind`` names which."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Broken(Exception):
    """The check does not hold: ``field`` should have been ``expected`` and is ``found``."""

    def __init__(self, field: str, expected: object, found: object) -> None:
        super().__init__(f"{field}: expected {expected}, found {found}")
        self.field, self.expected, self.found = field, shown(expected), shown(found)


def shown(value: object) -> str:
    """A value for a person: numbers as they are, bytes as hexadecimal, at most 200 characters."""
    text = value.hex(" ") if isinstance(value, bytes) else str(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


class Op(NamedTuple):
    """One operation: the handle's name, the method, its arguments, what it gave, and the student's line."""

    on: str
    method: str
    args: tuple[Any, ...]
    result: Any
    line: int


class Handle:
    """Something a student's function is handed. ``name`` is what the log calls it."""

    kind = ""
    methods: dict[str, tuple[str, ...]] = {}

    def __init__(self, name: str) -> None:
        self.name = name

    def facts(self) -> dict[str, int]:
        """Constants that the other side may know at once."""
        return {}

    def do(self, method: str, args: Sequence[Any]) -> Any:
        """Check and perform. Raises Refused."""
        wanted = self.methods.get(method)
        if wanted is None:
            raise Refused("AttributeError", f"a {self.kind} has no {method}")
        if len(args) != len(wanted):
            raise Refused("TypeError", f"{method} takes {len(wanted)} arguments, not {len(args)}")
        checked = [self.check(what, value) for what, value in zip(wanted, args, strict=True)]
        try:
            return self.perform(method, checked)
        except GuestMemoryError as error:
            raise Refused("GuestMemoryError", str(error)) from error

    def check(self, what: str, value: Any) -> Any:
        """An argument as its kind wants it. Raises Refused."""
        return CHECKS[what](value)

    def perform(self, method: str, args: list[Any]) -> Any:
        """Do it on the judge's object."""
        raise NotImplementedError


def integer(limit: int) -> Callable[[Any], int]:
    """A check for integers from 0 to ``limit``."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused("TypeError", f"an integer is wanted, not {type(value).__name__}")
        if not 0 <= value <= limit:
            raise Refused("ValueError", f"{value} does not fit into 0..{limit}")
        return value

    return check


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise Refused("TypeError", f"bytes are wanted, not {type(value).__name__}")
    if len(value) > BUFFER_MAX:
        raise Refused("ValueError", f"{len(value)} bytes are more than {BUFFER_MAX}")
    return value


def _desc(value: Any) -> Desc:
    if not isinstance(value, (list, tuple)) or not 2 <= len(value) <= 4:
        raise Refused("TypeError", "a Desc(addr, len, flags, next) is wanted")
    desc = Desc(*value)
    return Desc(CHECKS["u64"](desc.addr), CHECKS["u32"](desc.len), CHECKS["u16"](desc.flags), CHECKS["u16"](desc.next))


def _idx(value: Any) -> int:
    return integer(U64)(value)


CHECKS: dict[str, Callable[[Any], Any]] = {
    "u16": integer(U16), "u32": integer(U32), "u64": integer(U64), "size": integer(BUFFER_MAX), "idx": _idx,
    "bytes": _bytes, "desc": _desc,
}  # fmt: skip


class RingHandle(Handle):
    """A ring, with a store buffer as a processor has one when ``buffered``: what the student stored stays there, seen
    by its own loads only, until a full barrier or until the judge lets it out."""

    kind = "ring"
    methods = {
        "slot": ("idx",), "full_barrier": (), "read_desc": ("slot",), "write_desc": ("slot", "desc"),
        "write_table": ("u64", "u16", "desc"), "load_avail_idx": (), "store_avail_idx": ("u16",),
        "read_avail_entry": ("idx",), "store_avail_entry": ("idx", "u16"), "load_avail_flags": (),
        "store_avail_flags": ("u16",), "load_used_event": (), "store_used_event": ("u16",), "load_used_idx": (),
        "store_used_idx": ("u16",), "read_used_entry": ("idx",), "store_used_entry": ("idx", "u32", "u32"),
        "load_used_flags": (), "store_used_flags": ("u16",), "load_avail_event": (), "store_avail_event": ("u16",),
    }  # fmt: skip

    def __init__(self, name: str, ring: Ring, buffered: bool = False) -> None:
        super().__init__(name)
        self.ring = ring
        self.buffered = buffered
        self._pending: list[tuple[str, str, list[Any]]] = []

    def facts(self) -> dict[str, int]:
        """Size and index."""
        return {"num": self.ring.num, "index": self.ring.index}

    def check(self, what: str, value: Any) -> Any:
        """See ``Handle``; ``slot`` is a descriptor's number in this ring's table."""
        if what != "slot":
            return super().check(what, value)
        if not 0 <= integer(U64)(value) < self.ring.num:
            raise Refused("IndexError", f"descriptor {value} of a table of {self.ring.num}")
        return value

    def perform(self, method: str, args: list[Any]) -> Any:
        """See ``Handle``."""
        if method == "full_barrier":
            self.let_out()
        elif method.startswith(("store_", "write_")) and self.buffered:
            self._pending.append((self._word(method, args), method, args))
            return None
        elif method.startswith(("load_", "read_")):
            own = [kept for word, _, kept in self._pending if word == self._word(method, args)]
            if own:
                return _loaded(method, own[-1])
        return getattr(self.ring, method)(*args)

    def _word(self, method: str, args: list[Any]) -> str:
        """Which word of the ring a store or a load is about."""
        name = method.split("_", 1)[1]
        if name in ("avail_entry", "used_entry"):
            return f"{name}[{self.ring.slot(args[0])}]"
        return f"{name}{args[:2]}" if name == "table" else f"{name}{args[:1] if name == 'desc' else ''}"

    def let_out(self, count: int | None = None) -> None:
        """The oldest ``count`` stores of the buffer reach memory, all of them by default."""
        chosen, self._pending = self._pending[:count], self._pending[len(self._pending[:count]) :]
        for _, method, args in chosen:
            getattr(self.ring, method)(*args)


def _loaded(method: str, args: list[Any]) -> Any:
    """What a load gives that finds its own store still in the buffer."""
    if method == "read_used_entry":
        return Used(args[1], args[2])
    return args[-1]


class MemoryHandle(Handle):
    """Guest memory by guest address."""

    kind = "memory"
    methods = {"read": ("u64", "size"), "write": ("u64", "bytes")}

    def __init__(self, name: str, memory: GuestMemory) -> None:
        super().__init__(name)
        self.memory = memory

    def perform(self, method: str, args: list[Any]) -> Any:
        """See ``Handle``."""
        return getattr(self.memory, method)(*args)


class CallHandle(Handle):
    """Something to be called without arguments, or with what ``wants`` names: a doorbell, a port's send."""

    kind = "callable"

    def __init__(self, name: str, ring_it: Callable[..., Any], wants: tuple[str, ...] = ()) -> None:
        super().__init__(name)
        self._ring_it = ring_it
        self.methods = {"__call__": wants}

    def perform(self, method: str, args: list[Any]) -> Any:
        """See ``Handle``."""
        return self._ring_it(*args)
