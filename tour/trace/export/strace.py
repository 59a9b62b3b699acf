"""System calls of a recording in strace's notation.

Where strace 6.1 prints a pointer, the structure behind it is printed, as its newer versions do for calls they know.
What was no system call (a store into memory, a call of the embedded device) is a line that begins with ``#``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tour.trace import events as ev
from tour.trace.export.acts import FILE, NOTHING, STATE, telling
from tour.trace.state import QUEUE_NAMES

RESULT_AT = 40


def text(events: Iterable[ev.Event], step: str = "") -> str:
    """Every call of the recording, or of one step, a line each. Raises ExportError."""
    with telling():
        return "".join(f"{line}\n" for line in lines(events, step))


def lines(events: Iterable[ev.Event], step: str = "") -> Iterator[str]:
    """The lines of ``text``; with ``step`` those between its marks."""
    embedded = inside = False
    for event in events:
        data = event.data
        if isinstance(data, ev.Hello):
            embedded = data.device == "embedded"
        if isinstance(data, ev.Step):
            inside = data.step == step and data.mark == "begin"
            if not step and data.mark == "begin":
                yield f"# {safe(data.step)}"
        elif inside or not step:
            yield from _event(event, embedded)


def _event(event: ev.Event, embedded: bool) -> Iterator[str]:
    data = event.data
    if isinstance(data, ev.Ioctl):
        asked = "  # only to look" if event.source == "observer" else ""
        yield ("# the embedded device, no system call: " if embedded else "") + _ioctl(data) + asked
    elif event.actor in ("control", "driver") and type(data) in _TELLERS:
        yield _TELLERS[type(data)](data)


def safe(words: str) -> str:
    """Words of a recording on one line."""
    return "".join(char if char.isprintable() else "?" for char in words)


def _line(call: str, result: object) -> str:
    return safe(f"{call:<{RESULT_AT}}= {result}" if len(call) < RESULT_AT else f"{call} = {result}")


def failed(code: str) -> str:
    """A refusal: ``-1 EPERM (Operation not permitted)``."""
    number = getattr(errno, code, 0) if code.isidentifier() else 0
    return f"-1 {code}" + (f" ({os.strerror(number)})" if isinstance(number, int) and number else "")


def _ioctl(data: ev.Ioctl) -> str:
    result = failed(data.errno) if data.errno else str(data.result)
    return _line(f"ioctl({data.fd}, {data.name}, {_argument(data)})", result)


def _argument(data: ev.Ioctl) -> str:
    arg = data.arg
    if data.name in NOTHING:
        return "0"
    if data.name in STATE:
        number = arg.get("num", data.out.get("num", 0))
        return f"{{index={arg.get('index')}, num={number}}}"
    if data.name in FILE:
        return f"{{index={arg.get('index')}, fd={arg.get('fd')}}}"
    if data.name == "VHOST_SET_VRING_ADDR":
        return _addr(arg)
    if data.name == "VHOST_SET_MEM_TABLE":
        return _table(arg.get("regions"))
    word = data.out.get("features", arg.get("features"))
    return f"[{word:#x}]" if isinstance(word, int) else _fields(arg)


def _addr(arg: dict[str, Any]) -> str:
    names = (
        ("desc", "desc_user_addr"),
        ("used", "used_user_addr"),
        ("avail", "avail_user_addr"),
        ("log", "log_guest_addr"),
    )
    where = ", ".join(f"{name}={_number(arg.get(key))}" for key, name in names)
    return f"{{index={arg.get('index')}, flags={_number(arg.get('flags'))}, {where}}}"


def _table(regions: Any) -> str:
    rows = regions if isinstance(regions, list) else []
    names = (("gpa", "guest_phys_addr"), ("size", "memory_size"), ("hva", "userspace_addr"))
    shown = [
        "{" + ", ".join(f"{name}={_number(row.get(key))}" for key, name in names) + "}"
        for row in rows
        if isinstance(row, dict)
    ]
    return f"{{nregions={len(shown)}, regions=[{', '.join(shown)}]}}"


def _number(value: Any) -> str:
    return (f"{value:#x}" if value else "0") if isinstance(value, int) else str(value)


def _fields(arg: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}={value}" for key, value in arg.items()) + "}"


def _syscall(data: ev.Syscall) -> str:
    args = data.args if data.name != "open" else ["AT_FDCWD", *data.args]
    name = "openat" if data.name == "open" else data.name
    args = ["0" if arg == "0x0" else arg for arg in args]
    if data.name == "read" and data.errno:
        args = [*args, '""', "8"]
    return _line(f"{name}({', '.join(args)})", failed(data.errno) if data.errno else data.result)


def _region(data: ev.Region) -> str:
    call = f"mmap(NULL, {data.size}, PROT_READ|PROT_WRITE, MAP_SHARED, {data.fd}, {data.offset:#x})"
    return _line(call.replace(", 0x0)", ", 0)"), f"{data.hva:#x}")


def _eight(value: int) -> str:
    return "".join(f"\\{byte:o}" for byte in value.to_bytes(8, "little"))


def _kick(data: ev.Kick) -> str:
    return _line(f'write({data.fd}, "{_eight(data.value)}", 8)', 8)


def _drain(data: ev.Drain) -> str:
    return _line(f'read({data.fd}, "{_eight(data.value)}", 8)', 8)


def _store(data: ev.Store) -> str:
    return safe(f"# no system call: {QUEUE_NAMES[data.queue]} {data.field} = {data.new}")


def _write(data: ev.Write) -> str:
    return safe(f"# no system call: {len(data.after) // 2} bytes ({data.what}) stored at GPA {data.gpa:#x}")


_TELLERS: dict[type, Callable[[Any], str]] = {
    ev.Syscall: _syscall, ev.Region: _region, ev.Kick: _kick, ev.Drain: _drain, ev.Store: _store, ev.Write: _write,
}  # fmt: skip
