"""The contract every device keeps: vhost's calls by the kernel's names, start and stop, and optional calls.

A device is one queue pair: ring 0 receives, ring 1 transmits [virtio v1.3 5.1.2], as one open of
/dev/vhost-net is. The public methods are final: each records exactly one ``Ioctl`` event, errors included,
and hands over to the implementation's method of the same name with an underscore. Call order is advisory:
a mistake reaches the device, and the caller sees the device's own errno as OSError.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, ClassVar, Protocol, Self, TypeVar, final

from tour.abi import layouts
from tour.abi.names import VhostIoctl
from tour.device import wire
from tour.device.optional import OptionalCalls
from tour.device.wire import RingAddresses
from tour.device.worker import WorkerThread, compare, find_new, threads_now
from tour.errors import errno_name
from tour.memory.dirty import LogBitmap
from tour.memory.table import MemoryTable
from tour.trace.events import Ioctl, Source
from tour.trace.recorder import Recorder, here

__all__ = ["RX", "TX", "Backend", "RingAddresses", "VhostDevice", "attempt"]

RX, TX = 0, 1
T = TypeVar("T")
Out = Callable[[T], tuple[dict[str, Any], bytes]]


class Backend(Protocol):
    """What a ring is attached to: anything with a file descriptor that carries frames."""

    def fileno(self) -> int:
        """The file descriptor."""


def _hex(number: int) -> dict[str, Any]:
    return {"features": number}


class VhostDevice(OptionalCalls, ABC):
    """One queue pair. Every method raises OSError with the errno the kernel's vhost-net would give."""

    kind: ClassVar[str]
    """``kernel``, ``embedded`` or ``vhost-user``."""
    probes_base: ClassVar[bool] = True
    """Whether get_vring_base leaves the ring running (it stops it in vhost-user)."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self.recorder = recorder or Recorder()
        self.told = False
        """Whether the device tells each of its own steps as it takes it. One that does not is looked at."""
        self.acknowledged = 0
        """The feature word of the last set_features that succeeded."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: tuple[type[BaseException], BaseException, TracebackType]) -> None:
        self.close()

    @property
    def fd(self) -> int:
        """The open file of /dev/vhost-net, -1 where there is none."""
        return -1

    @property
    def worker(self) -> WorkerThread | None:
        """The worker, None while there is none or where /proc does not show it."""
        return None

    def asleep(self) -> bool:
        """Whether the worker rests, as far as can be known: /proc shows it not running, or shows nothing."""
        worker = self.worker
        return worker is None or worker.look().state != "R"

    @abstractmethod
    def close(self) -> None:
        """Stop everything, end the worker and release all descriptors. May be called twice."""

    # --- core: all implementations ---

    @final
    def get_features(self) -> int:
        """The feature word offered. Works before set_owner."""
        return self._call("VHOST_GET_FEATURES", {}, b"", self._get_features, lambda n: (_hex(n), wire.word(n)))

    @final
    def set_features(self, features: int) -> None:
        """Acknowledge ``features``; EOPNOTSUPP for a bit that was not offered. Works before set_owner."""
        raw = wire.word(features)
        self._call("VHOST_SET_FEATURES", _hex(features), raw, lambda: self._set_features(features))
        self.acknowledged = features

    @final
    def set_owner(self) -> None:
        """Become the owner: the worker appears and borrows this address space. EBUSY when owned.

        The worker's state and what /proc shows that it did not show before are told as well.
        """
        before = threads_now()
        self._call("VHOST_SET_OWNER", {}, b"", self._set_owner)
        seen = compare(before, threads_now())
        self._worker_seen(find_new(seen))
        if self.worker:
            self.recorder.emit(self.worker.rest(), actor="device", source="observer")
        self.recorder.emit(seen, actor="device", source="observer")

    def _worker_seen(self, worker: WorkerThread | None) -> None:
        """``worker`` appeared with set_owner, None where /proc shows none."""

    @final
    def set_mem_table(self, table: MemoryTable) -> None:
        """Tell where guest memory lies. EFAULT for a region of size 0, E2BIG above 64 regions."""
        regions = [{"gpa": r.gpa, "size": r.size, "hva": r.hva} for r in table.regions]
        self._call("VHOST_SET_MEM_TABLE", {"regions": regions}, table.pack(), lambda: self._set_mem_table(table))

    @final
    def set_vring_num(self, index: int, num: int) -> None:
        """The ring's size: a power of two up to 32768, else EINVAL; EBUSY while attached."""
        self._state("VHOST_SET_VRING_NUM", index, num, self._set_vring_num)

    @final
    def set_vring_base(self, index: int, num: int) -> None:
        """The free-running index of the next avail entry to read; EBUSY while attached."""
        self._state("VHOST_SET_VRING_BASE", index, num, self._set_vring_base)

    @final
    def get_vring_base(self, index: int, *, source: Source = "control") -> int:
        """last_avail_idx. A pure read where ``probes_base``; ``source`` is 'observer' when we only look."""

        def out(num: int) -> tuple[dict[str, Any], bytes]:
            return {"index": index, "num": num}, layouts.pack_vring_state(index, num)

        raw = layouts.pack_vring_state(index, 0)
        return self._call(
            "VHOST_GET_VRING_BASE", {"index": index}, raw, lambda: self._get_vring_base(index), out, source
        )

    @final
    def set_vring_addr(self, index: int, where: RingAddresses) -> None:
        """Where the ring's parts lie (HVAs). EINVAL when avail (2), used (4) or the log (4) is misaligned."""
        arg = {"index": index, "flags": where.flags, "desc": where.desc, "avail": where.avail}
        arg |= {"used": where.used, "log": where.log_gpa}
        self._call("VHOST_SET_VRING_ADDR", arg, where.pack(index), lambda: self._set_vring_addr(index, where))

    @final
    def set_vring_kick(self, index: int, fd: int) -> None:
        """The eventfd on which the driver rings; -1 unbinds. EBADF, EINVAL when it is no eventfd."""
        self._file("VHOST_SET_VRING_KICK", index, fd, self._set_vring_kick)

    @final
    def set_vring_call(self, index: int, fd: int) -> None:
        """The eventfd on which the device rings; -1 unbinds. EBADF, EINVAL when it is no eventfd."""
        self._file("VHOST_SET_VRING_CALL", index, fd, self._set_vring_call)

    @final
    def set_vring_err(self, index: int, fd: int) -> None:
        """The eventfd on which the device reports a broken rule; -1 unbinds."""
        self._file("VHOST_SET_VRING_ERR", index, fd, self._set_vring_err)

    @final
    def set_log_base(self, log: LogBitmap) -> None:
        """Where to note dirtied pages: one bit for each 4 KiB of guest memory."""
        arg, raw = {"hva": log.hva}, wire.word(log.hva)
        self._call("VHOST_SET_LOG_BASE", arg, raw, lambda: self._set_log_base(log))

    @final
    def set_log_fd(self, fd: int) -> None:
        """The eventfd signalled when pages were noted; -1 unbinds."""
        self._call("VHOST_SET_LOG_FD", {"fd": fd}, wire.single_fd(fd), lambda: self._set_log_fd(fd))

    # --- start and stop ---

    @final
    def net_set_backend(self, index: int, fd: int) -> None:
        """Attach the ring to a backend socket (a tap's fd) and so start it; -1 detaches and stops.

        The kernel's own way to start and stop; portable code calls ``start`` and ``stop``.
        """
        self._file("VHOST_NET_SET_BACKEND", index, fd, self._net_set_backend)

    def start(self, index: int, port: Backend) -> None:
        """Let the ring work on ``port``."""
        self.net_set_backend(index, port.fileno())

    def stop(self, index: int) -> int:
        """Stop the ring and return the index to go on from."""
        self.net_set_backend(index, -1)
        return self.get_vring_base(index)

    # --- how a call becomes an event ---

    def _state(self, name: str, index: int, num: int, act: Callable[[int, int], None]) -> None:
        self._call(name, {"index": index, "num": num}, layouts.pack_vring_state(index, num), lambda: act(index, num))

    def _file(self, name: str, index: int, fd: int, act: Callable[[int, int], None]) -> None:
        self._call(name, {"index": index, "fd": fd}, layouts.pack_vring_file(index, fd), lambda: act(index, fd))

    def _call(
        self,
        name: str,
        arg: dict[str, Any],
        raw: bytes,
        act: Callable[[], T],
        out: Out[T] | None = None,
        source: Source = "control",
    ) -> T:
        """Run ``act`` and record it as the ioctl ``name``. The event's line is that of our caller's caller."""
        frame = _outside()
        try:
            value = act()
        except OSError as error:
            self._record(name, arg, raw, source, frame, code=errno_name(error))
            raise
        decoded, answer = out(value) if out else ({}, b"")
        self._record(name, arg, raw, source, frame, decoded=decoded, answer=answer)
        return value

    def _record(
        self, name: str, arg: dict[str, Any], raw: bytes, source: Source, frame: FrameType,
        *, code: str | None = None, decoded: dict[str, Any] | None = None, answer: bytes = b"",
    ) -> None:  # fmt: skip
        data = Ioctl(
            name, VhostIoctl[name].value, self.fd, arg, raw.hex(), -1 if code else 0, code, decoded or {}, answer.hex()
        )
        self.recorder.emit(data, actor="control", source=source, frame=frame)

    # --- what an implementation supplies ---

    @abstractmethod
    def _get_features(self) -> int: ...

    @abstractmethod
    def _set_features(self, features: int) -> None: ...

    @abstractmethod
    def _set_owner(self) -> None: ...

    @abstractmethod
    def _set_mem_table(self, table: MemoryTable) -> None: ...

    @abstractmethod
    def _set_vring_num(self, index: int, num: int) -> None: ...

    @abstractmethod
    def _set_vring_base(self, index: int, num: int) -> None: ...

    @abstractmethod
    def _get_vring_base(self, index: int) -> int: ...

    @abstractmethod
    def _set_vring_addr(self, index: int, where: RingAddresses) -> None: ...

    @abstractmethod
    def _set_vring_kick(self, index: int, fd: int) -> None: ...

    @abstractmethod
    def _set_vring_call(self, index: int, fd: int) -> None: ...

    @abstractmethod
    def _set_vring_err(self, index: int, fd: int) -> None: ...

    @abstractmethod
    def _set_log_base(self, log: LogBitmap) -> None: ...

    @abstractmethod
    def _set_log_fd(self, fd: int) -> None: ...

    @abstractmethod
    def _net_set_backend(self, index: int, fd: int) -> None: ...


def attempt(call: Callable[..., object], *args: object) -> str:
    """Make a call that may be refused: ``done``, or the name of the errno. The call tells its event either way."""
    try:
        call(*args)
    except OSError as error:
        return errno_name(error)
    return "done"


def _outside() -> FrameType:
    """The nearest frame that is not this contract's own: the line that made the call."""
    depth = 2
    frame = here(depth)
    while frame.f_globals.get("__name__", "").startswith("tour.device.") and frame.f_back:
        frame = frame.f_back
    return frame
