"""The door to the compiled part: loads ``tour.abi._native`` on first use, or says how to get it.

Nothing here is touched at import time, so everything that reads and replays works without a compiler.
The functions are described in ``csrc/native.h``. Besides ``csrc``, this is the only place that knows cffi.

An address here is a plain number in this process (an HVA). Nothing checks it: whoever calls has got it
from :class:`tour.memory.table.MemoryTable`, the one door from a guest address to an HVA.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tour.errors import CapabilityMissing

if TYPE_CHECKING:
    from tour.abi._native import Ffi, Lib

APT = "sudo apt-get install gcc python3-dev libc6-dev"


@cache
def _module() -> tuple[Lib, Ffi]:
    try:
        from tour.abi import _native
    except ImportError as error:
        raise _missing(error) from error
    return _native.lib, _native.ffi


def _missing(error: ImportError) -> CapabilityMissing:
    if not sys.platform.startswith("linux"):
        return CapabilityMissing("embedded", "The live devices need Linux; replaying works here.")
    there = any(Path(__file__).parent.glob("_native*.so"))
    return CapabilityMissing(
        "embedded",
        "The compiled part of vhost-tour is missing: no C compiler or no Python.h was there at install.",
        f"Python said: {error}." if there else "",
        f"{APT} && {shlex.quote(sys.executable)} -P -m tour.abi.build",
    )


def where() -> str:
    """The compiled part's file, '' where there is none. Nothing is loaded."""
    found = importlib.util.find_spec("tour.abi._native")
    return str(found.origin) if found and found.origin else ""


def available() -> bool:
    """Whether the compiled part is there. Never raises."""
    try:
        _module()
    except CapabilityMissing:
        return False
    return True


def lib() -> Lib:
    """The compiled functions (``vt_*``). Raises CapabilityMissing("embedded") with the apt line."""
    return _module()[0]


def parts() -> tuple[Lib, Ffi]:
    """Functions and types, for the modules of ``abi`` that keep C structs (``engine``). Raises like :func:`lib`."""
    return _module()


def address_of(buffer: Any) -> int:  # noqa: ANN401 - anything with the buffer protocol
    """The address of a writable buffer (an mmap). It holds while that buffer lives and is not resized."""
    ffi = _module()[1]
    with ffi.from_buffer(buffer) as held:
        return int(ffi.cast("uintptr_t", held))


def view(buffer: Any, writable: bool = False) -> Any:  # noqa: ANN401 - anything with the buffer protocol, or None
    """``buffer``'s bytes as an argument for a compiled function, held while the result lives; None gives NULL.

    Raises TypeError or BufferError where it has no such bytes, BufferError where it may not be written.
    """
    ffi = _module()[1]
    return ffi.NULL if buffer is None else ffi.from_buffer("char[]", buffer, writable)


def struct(name: str, **fields: int) -> Any:  # noqa: ANN401 - a cffi struct
    """A fresh ``struct name`` of the compiled part with ``fields`` set, the others 0."""
    return _module()[1].new(f"struct {name} *", fields)


def owned(pointer: Any, free: Any) -> Any:  # noqa: ANN401 - what a compiled function gave us
    """``pointer``, for which ``free(pointer)`` runs once it is forgotten. Raises MemoryError for NULL."""
    ffi = _module()[1]
    if pointer == ffi.NULL:
        raise MemoryError
    return ffi.gc(pointer, free)


def peek(address: int, size: int) -> bytes:
    """``size`` bytes at ``address``, each read once, as one private copy."""
    _, ffi = _module()
    return bytes(ffi.buffer(ffi.cast("char *", address), size))


def poke(address: int, data: bytes) -> None:
    """Write ``data`` at ``address`` (no ordering promised: publish with a release store afterwards)."""
    _, ffi = _module()
    ffi.memmove(ffi.cast("char *", address), data, len(data))


def ioctl(fd: int, request: int, argument: bytes | bytearray | None = None) -> bytes:
    """ioctl(2) on a struct's bytes; returns those bytes as the kernel left them. Raises OSError."""
    compiled, ffi = _module()
    held = ffi.new("char[]", argument) if argument is not None else ffi.NULL
    result = compiled.vt_ioctl(fd, request, held)
    if result < 0:
        raise OSError(-result, f"ioctl({fd}, {request:#x}): {os.strerror(-result)}")
    return bytes(ffi.buffer(held, len(argument))) if argument is not None else b""


def copy_in(address: int, size: int) -> bytes:
    """Like :func:`peek` for an address that may not be mapped: raises OSError EFAULT, never a crash.

    The kernel's copy_from_user, made of process_vm_readv(2) on ourselves; slow, meant for a first look.
    """
    compiled, ffi = _module()
    held = ffi.new("char[]", size)
    if compiled.vt_copy_in(held, address, size) != size:
        raise OSError(errno.EFAULT, f"{address:#x}+{size:#x}: {os.strerror(errno.EFAULT)}")
    return bytes(ffi.buffer(held, size))
