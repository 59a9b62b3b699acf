"""The door to the C engine (``csrc/engine.h``): one handle, its calls as methods, its structs as plain tuples.

Nothing here knows what a ring means; ``tour.device.embedded`` does. With :mod:`tour.abi.native` this is the only
place that holds cffi objects.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

from tour.abi import native

ASKED = 1
"""Of what ``run`` returns: somebody asked for it. Bits 1 and 2: ring 0, ring 1 has a fault to tell."""
PACKET_MAX = 1 << 17


class EngineCounts(NamedTuple):
    """struct vt_counts."""

    chains: int = 0
    pieces: int = 0
    packets: int = 0
    bytes: int = 0
    dropped: int = 0
    turns: int = 0
    kicks: int = 0
    calls: int = 0
    calls_saved: int = 0
    syscalls: int = 0
    batches: int = 0
    sleeps: int = 0


class EngineStatus(NamedTuple):
    """struct vt_status. ``fault`` is the last one's number (enum vt_fault), 0 for none."""

    last_avail_idx: int = 0
    avail_seen: int = 0
    used_shadow: int = 0
    attached: int = 0
    broken: int = 0
    kicks_wanted: int = 1
    held: int = 0
    fault: int = 0
    fault_at: int = 0
    fault_value: int = 0


class Engine:
    """struct vt_engine. Methods of the first group only while no thread is in :meth:`run`; the rest at any time,
    also after :meth:`close`: then totals stand where they were, orders do nothing and control is refused (EBADF).

    ``busy_poll_us``: microseconds to look on before sleeping. ``quarantine``: a ring with a fault is dead until it
    is detached, otherwise it rests until the next kick.
    """

    def __init__(self, busy_poll_us: int = 0, quarantine: bool = False) -> None:
        """Raises CapabilityMissing("embedded") without the compiled part, OSError when memory is short."""
        self._lib, self._ffi = native.parts()
        self._at = self._lib.vt_engine_new(busy_poll_us, quarantine)
        if self._at == self._ffi.NULL:
            raise OSError(errno.ENOMEM, f"vt_engine_new: {os.strerror(errno.ENOMEM)}")
        self._open = threading.Lock()
        self._last = {0: EngineCounts(), 1: EngineCounts()}

    @property
    def closed(self) -> bool:
        """Whether it is freed."""
        return bool(self._at == self._ffi.NULL)

    # --- control ---

    def plain(self) -> None:
        """Use one system call a packet, as where there is no io_uring; before anything is attached."""
        self._lib.vt_engine_plain(self._at)

    def table(self, regions: Iterable[tuple[int, int, int]]) -> None:
        """Guest memory: (first, last, hva) of each region, in the order told. Raises OSError."""
        flat = [number for region in regions for number in region]
        self._control(self._lib.vt_engine_table, self._ffi.new("uint64_t[]", flat), len(flat) // 3)

    def ring(self, index: int, num: int, desc: int, avail: int, used: int, features: int) -> None:
        """Size, addresses (HVAs) and acknowledged features. A ring that runs goes on where it was."""
        self._control(self._lib.vt_engine_ring, index, num, desc, avail, used, features)

    def doorbells(self, index: int, kick: int, call: int, err: int) -> None:
        """Descriptors, -1 for none; they stay the caller's and must stay open."""
        self._control(self._lib.vt_engine_doorbells, index, kick, call, err)

    def log(self, index: int, bitmap: int, size: int, used_gpa: int, used: bool, fd: int) -> None:
        """The dirty log: ``size`` bytes at ``bitmap`` (0: none), whether and where the used ring's are noted."""
        self._control(self._lib.vt_engine_log, index, bitmap, size, used_gpa, used, fd)

    def attach(
        self, index: int, base: int, kicks_wanted: bool, port: int, header: int, port_header: int, frame_max: int
    ) -> None:
        """Begin with available entry ``base``. Raises OSError EFAULT when the used ring cannot be touched."""
        attach = self._lib.vt_engine_attach
        self._control(attach, index, base, kicks_wanted, port, header, port_header, frame_max)

    def detach(self, index: int) -> int:
        """Stop, with nothing in flight afterwards; the next available entry to read."""
        return self._control(self._lib.vt_engine_detach, index)

    def close(self) -> None:
        """Free it. May be called twice."""
        with self._open:
            if self._at == self._ffi.NULL:
                return
            self._last = {index: self._counts(index) for index in self._last}
            self._lib.vt_engine_free(self._at)
            self._at = self._ffi.NULL

    # --- the worker's thread ---

    def run(self) -> int:
        """Take turns and sleep, the interpreter's lock released, until asked or until there is news."""
        return self._lib.vt_engine_run(self._at)

    # --- any thread, any time ---

    def idle(self) -> bool:
        """Whether :meth:`run` sleeps and nothing has happened that would wake it."""
        return bool(self._order(self._lib.vt_engine_idle))

    def ask(self) -> None:
        """Have :meth:`run` return, now or as soon as it is called."""
        self._order(self._lib.vt_engine_ask)

    def kick(self, index: int) -> None:
        """Take a turn."""
        self._order(self._lib.vt_engine_kick, index)

    def hold(self, index: int, on: bool) -> None:
        """Take only released chains from now on, or all again."""
        self._order(self._lib.vt_engine_hold, index, on)

    def release(self, index: int, n: int) -> None:
        """Let ``n`` chains more be taken."""
        self._order(self._lib.vt_engine_release, index, n)

    def counts(self, index: int) -> EngineCounts:
        """Totals."""
        with self._open:
            return self._last[index] if self._at == self._ffi.NULL else self._counts(index)

    def status(self, index: int) -> EngineStatus:
        """Where the ring is."""
        held = self._ffi.new("struct vt_status *")
        self._order(self._lib.vt_engine_status, index, held)
        return EngineStatus(*(int(getattr(held, name)) for name in EngineStatus._fields))

    def last_packet(self, index: int, want: bool) -> bytes | None:
        """The packet copied since the last ``want``, None if there is none."""
        held, size = self._ffi.new("unsigned char[]", PACKET_MAX), self._ffi.new("uint32_t *")
        found = self._order(self._lib.vt_engine_last_packet, index, want, held, PACKET_MAX, size)
        return bytes(self._ffi.buffer(held, size[0])) if found and found > 0 else None

    def _counts(self, index: int) -> EngineCounts:
        held = self._ffi.new("struct vt_counts *")
        self._lib.vt_engine_counts(self._at, index, held)
        return EngineCounts(*(int(getattr(held, name)) for name in EngineCounts._fields))

    def _order(self, call: Any, *arguments: object) -> Any:  # noqa: ANN401 - whatever the call returns
        with self._open:
            return None if self._at == self._ffi.NULL else call(self._at, *arguments)

    def _control(self, call: Any, *arguments: object) -> int:  # noqa: ANN401 - a compiled function
        result = self._order(call, *arguments)
        if result is None or result < 0:
            code = errno.EBADF if result is None else -result
            raise OSError(code, os.strerror(code))
        return int(result)
