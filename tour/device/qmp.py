"""A QEMU looked at from outside: ring addresses by QMP, ring words from its memory. Nothing is written, anywhere.

QMP's queries are unstable by their own word and exist from QEMU 7.2 on (qapi/virtio.json@7.2). Asked are
x-query-virtio, x-query-virtio-status and x-query-virtio-vhost-queue-status. x-query-virtio-queue-status is not: it
has a device's GET_VRING_BASE called, which stops a vhost-user ring, and tells what that call returned (0) in place of
the index (hw/virtio/virtio.c@7.2, qmp_x_query_virtio_queue_status). So last_avail_idx is known only where the words
alone tell it (``look``).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

from tour.abi.names import Feature
from tour.device.look import Standing
from tour.device.worker import PREFIX, WorkerThread
from tour.errors import AgentLost, CapabilityMissing, RingError, TourError, UsageError
from tour.trace.events import AnyPayload, Features, Packet, Rates
from tour.virtqueue.layout import RingLayout

PATIENCE = 5.0
"""Seconds QEMU may take to answer."""
ANSWER_MOST = 1 << 20
ASKED_SECONDS = 1.0
"""How often it is asked anew where the rings lie: a guest may start again."""
VERSION_LEAST = (7, 2)
NET = "virtio-net"
QUERIES = ("qmp_capabilities", "x-query-virtio", "x-query-virtio-status", "x-query-virtio-vhost-queue-status")
"""All that is ever asked; each changes nothing (the first begins a QMP session)."""
EVENTFD = "anon_inode:[eventfd]"
_UCRED = struct.Struct("=iII")


class Refused(Exception):
    """QEMU answered a query with an error."""


class Qmp:
    """A QMP session on the Unix socket ``path``; ``pid`` is the process that listens there.

    Raises UsageError where none can be had, CapabilityMissing("qmp") where it is no QEMU or too old a one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(PATIENCE)
        self._pending = b""
        try:
            self._socket.connect(str(path))
            self.version = self._greeted()
            self.pid = _UCRED.unpack(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))[0]
            self.ask("qmp_capabilities")
        except OSError as error:
            self.close()
            raise _unreachable(path, error) from error
        except BaseException:
            self.close()
            raise

    def _greeted(self) -> tuple[int, int]:
        try:
            version = self._line()["QMP"]["version"]["qemu"]
            found = int(version["major"]), int(version["minor"])
        except (LookupError, TypeError, ValueError) as error:
            raise CapabilityMissing(
                "qmp",
                f"What listens on {self.path} does not speak QMP.",
                "",
                "start QEMU with: -qmp unix:PATH,server=on,wait=off",
            ) from error
        if found < VERSION_LEAST:
            raise CapabilityMissing(
                "qmp", f"This QEMU is of version {found[0]}.{found[1]}.", "From 7.2 on it tells where its rings lie.",
            )  # fmt: skip
        return found

    def ask(self, query: str, **arguments: str | int) -> Any:
        """What QEMU returns to ``query``. Raises Refused, OSError when it is gone or does not answer."""
        assert query in QUERIES
        self._socket.sendall(json.dumps({"execute": query, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = self._line()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Refused(str(answer["error"]))

    def _line(self) -> dict[str, Any]:
        """The next object, events included. Raises OSError."""
        while b"\n" not in self._pending:
            data = self._socket.recv(65536)
            if not data or len(self._pending) > ANSWER_MOST:
                raise ConnectionResetError("QEMU closed the connection")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}

    def close(self) -> None:
        """End the session. QEMU goes on."""
        self._socket.close()


class Memory:
    """Another process's memory, opened for reading only. Raises CapabilityMissing("ptrace") when that is refused."""

    def __init__(self, pid: int, fix: str) -> None:
        self.pid = pid
        try:
            self._fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise CapabilityMissing(
                "ptrace", f"The memory of process {pid} may not be read: {error.strerror}.",
                _rights(_read("/proc/sys/kernel/yama/ptrace_scope")), fix,
            ) from error  # fmt: skip

    def read(self, address: int, size: int) -> bytes:
        """A copy of ``size`` bytes at ``address`` of that process. Raises OSError where there is none."""
        try:
            data = os.pread(self._fd, size, address)
        except OverflowError:
            data = b""
        if len(data) < size:
            raise OSError(f"{address:#x}+{size:#x} of process {self.pid} is not there")
        return data

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)


class QemuRing:
    """An eye on ring ``queue`` of a QEMU's vhost device."""

    exact = False
    """Totals are counted up from used.idx: right while fewer than 65536 chains complete between two looks."""

    def __init__(self, qemu: Qemu, queue: int) -> None:
        self._qemu = qemu
        self.queue = queue
        self.read = qemu.memory.read
        self._chains = 0
        self._used_idx: int | None = None

    def stands(self) -> Standing | None:
        """See ``Eye``."""
        return self._qemu.standing(self.queue)

    def totals(self) -> Rates | None:
        """See ``Eye``. Only completed chains can be counted from outside, and doorbells where QEMU names them."""
        standing = self.stands()
        if standing is None:
            self._used_idx = None
            return None
        now = time.monotonic_ns()
        used_idx = int.from_bytes(self.read(standing.place.used_idx, 2), "little")
        self._chains += (used_idx - (used_idx if self._used_idx is None else self._used_idx)) & 0xFFFF
        self._used_idx = used_idx
        kicks, calls = self._qemu.rung(self.queue)
        return Rates(self.queue, now, chains=self._chains, kicks=kicks, calls=calls)

    def packet(self) -> Packet | None:
        """See ``Eye``: none can be had, a buffer's bytes may be overwritten once they are used."""
        return None


class Qemu:
    """The first network device of a QEMU that vhost works for, and its two rings.

    Raises UsageError, CapabilityMissing: no QMP, no such device, no right to read its memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.qmp = Qmp(path)
        self.gone: TourError | None = None
        self._lock = threading.Lock()
        self._asked = 0.0
        self._status: dict[str, Any] = {}
        self._queues: list[dict[str, Any] | None] = [None, None]
        try:
            self.pid = self.qmp.pid
            if not self.pid:
                raise CapabilityMissing(
                    "ptrace",
                    f"The process behind {path} cannot be seen from here.",
                    "",
                    "start QEMU with: -qmp unix:PATH,server=on,wait=off",
                )
            self.memory = Memory(self.pid, f"sudo tour watch --qmp {path}")
            self.devices = self._net_devices()
        except BaseException:
            self.qmp.close()
            raise
        self.eyes = [QemuRing(self, queue) for queue in (0, 1)]

    @property
    def name(self) -> str:
        """The process's name in /proc."""
        return _read(f"/proc/{self.pid}/comm")

    @property
    def kernel(self) -> bool:
        """Whether the process has /dev/vhost-net open: if not, its vhost device is another process (vhost-user)."""
        folder = f"/proc/{self.pid}/fd"
        with contextlib.suppress(OSError):
            return any(_target(f"{folder}/{number}") == "/dev/vhost-net" for number in os.listdir(folder))
        return False

    def _net_devices(self) -> list[str]:
        try:
            found = [one["path"] for one in self.qmp.ask("x-query-virtio") if one["name"] == NET]
        except Refused as error:
            raise CapabilityMissing("qmp", "This QEMU does not tell of its virtio devices.", f"{error}") from error
        except OSError as error:
            raise _unreachable(self.path, error) from error
        if not found:
            raise UsageError(
                "This QEMU has no virtio network device.", "", "give it one: -device virtio-net-pci,netdev=ID"
            )
        return found

    # --- what it tells, asked anew from time to time ---

    def standing(self, queue: int) -> Standing | None:
        """Where the ring lies now, None while vhost does not work on it."""
        with self._lock:
            if time.monotonic() - self._asked >= ASKED_SECONDS and self.gone is None:
                self._ask()
            told = self._queues[queue]
            if told is None or self._packed:
                return None
            try:
                place = RingLayout(*(int(told[part]) for part in ("num", "desc", "avail", "used")))
                place.check(queue)
            except (RingError, LookupError, TypeError, ValueError):
                return None
            return Standing(place, self._has(Feature.VIRTIO_RING_F_EVENT_IDX))

    def _ask(self) -> None:
        self._asked = time.monotonic()
        try:
            statuses = [(path, self.qmp.ask("x-query-virtio-status", path=path)) for path in self.devices]
            path, self._status = next((one for one in statuses if one[1].get("vhost-started")), ("", {}))
            self._queues = [self._queue(path, queue) if path else None for queue in (0, 1)]
        except OSError:
            self._queues = [None, None]
            self.gone = AgentLost(
                "QEMU has ended: what was seen so far stays here, nothing more happens.", "",
                f"start it again, then: tour watch --qmp {self.path}",
            )  # fmt: skip
        except Refused:
            self._queues = [None, None]

    def _queue(self, path: str, queue: int) -> dict[str, Any] | None:
        try:
            told = self.qmp.ask("x-query-virtio-vhost-queue-status", path=path, queue=queue)
        except Refused:
            return None
        return told if isinstance(told, dict) and told.get("avail") and told.get("used") else None

    def _told_features(self) -> list[str]:
        features = self._status.get("guest-features", {})
        texts = [*features.get("transports", []), *features.get("dev-features", [])]
        return [str(text).partition(":")[0] for text in texts]

    def _has(self, bit: Feature) -> bool:
        return bit.name in self._told_features()

    @property
    def _packed(self) -> bool:
        return self._has(Feature.VIRTIO_F_RING_PACKED)

    def around(self) -> list[AnyPayload]:
        """The driver's features, as far as QEMU names them, and the worker, as /proc shows it."""
        with self._lock:
            named = [bit for bit in Feature if bit.name in self._told_features()]
        word = sum(bit.mask for bit in named if not bit.name.startswith("VHOST_"))
        worker = worker_of(self.pid)
        return [*([Features("driver", word)] if word else []), *([worker.look()] if worker else [])]

    def rung(self, queue: int) -> tuple[int | None, int | None]:
        """How often kick and call were rung, by their eventfds' counters: only where QEMU names descriptors that are
        eventfds (7.2 tells 0 for all), else None."""
        told = self._queues[queue] or {}
        return self._count(told.get("kick")), self._count(told.get("call"))

    def _count(self, fd: object) -> int | None:
        if not isinstance(fd, int) or _target(f"/proc/{self.pid}/fd/{fd}") != EVENTFD:
            return None
        info = _read(f"/proc/{self.pid}/fdinfo/{fd}")
        return next((int(line.split()[1], 16) for line in info.splitlines() if line.startswith("eventfd-count")), None)

    def close(self) -> None:
        """Let go of QEMU, which goes on."""
        self.qmp.close()
        self.memory.close()


def worker_of(pid: int) -> WorkerThread | None:
    """vhost's worker for process ``pid``: a thread of it (from Linux 6.4) or a kernel thread, named after its owner."""
    with contextlib.suppress(OSError):
        for tid in os.listdir(f"/proc/{pid}/task"):
            if _read(f"/proc/{pid}/task/{tid}/comm").startswith(PREFIX):
                return WorkerThread(f"{PREFIX}{pid}", int(tid), "thread", str(pid))
        for tid in os.listdir("/proc"):
            if tid.isdigit() and _read(f"/proc/{tid}/comm") == f"{PREFIX}{pid}":
                return WorkerThread(f"{PREFIX}{pid}", int(tid), "kthread")
    return None


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _rights(scope: str) -> str:
    """Who may read another process's memory [ptrace(2), ptrace access mode checking; Yama's ptrace_scope]."""
    if scope in ("", "0"):
        return "Who may trace it may read it: its own user, or root."
    return f"Who may trace it may read it: where kernel.yama.ptrace_scope is {scope}, root or CAP_SYS_PTRACE."


def _unreachable(path: Path, error: OSError) -> UsageError:
    if isinstance(error, TimeoutError):
        return UsageError(
            f"QEMU does not answer on {path}.", "A QMP socket serves one at a time: somebody else may hold it.",
            "give QEMU a second one: -qmp unix:PATH,server=on,wait=off",
        )  # fmt: skip
    if isinstance(error, PermissionError):
        return UsageError(f"{path} may not be opened: {error.strerror}.", "", f"sudo tour watch --qmp {path}")
    return UsageError(
        f"No QEMU answers on {path}: {error.strerror or error}.",
        "",
        "start QEMU with: -qmp unix:PATH,server=on,wait=off",
    )
