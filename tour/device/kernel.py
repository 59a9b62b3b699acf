"""The kernel's vhost-net, through ioctls on /dev/vhost-net."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import ClassVar

from tour.abi import layouts
from tour.abi.names import VhostIoctl
from tour.device import wire
from tour.device.contract import RingAddresses, VhostDevice
from tour.device.worker import WorkerThread
from tour.errors import CapabilityMissing
from tour.memory.dirty import LogBitmap
from tour.memory.table import MemoryTable
from tour.trace.events import Syscall
from tour.trace.recorder import Recorder

PATH = "/dev/vhost-net"

_REFUSALS = {
    errno.ENOENT: ("The file does not exist: the module vhost_net is not loaded.", "sudo modprobe vhost_net"),
    errno.ENXIO: ("The file exists but no driver is behind it.", "sudo modprobe vhost_net"),
    errno.ENODEV: ("The file exists but no driver is behind it.", "sudo modprobe vhost_net"),
    errno.EACCES: (
        "Your user may not open it; on Debian and Ubuntu the group kvm may.",
        'sudo usermod -aG kvm "$USER", then log in again',
    ),
    errno.EPERM: (
        "Something between us and the file forbids it, a container perhaps.",
        "run outside the container, or pass the device in (docker: --device /dev/vhost-net)",
    ),
}


def open_vhost(path: str = PATH) -> int:
    """An open file of vhost-net. Raises CapabilityMissing('kernel') with why not and what to do."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        why, fix = _REFUSALS.get(error.errno or 0, (f"The kernel says: {error.strerror}.", ""))
        raise CapabilityMissing("kernel", f"{path} cannot be opened.", why, fix) from error


class KernelDevice(VhostDevice):
    """/dev/vhost-net itself: each call is one ioctl, each errno the kernel's own.

    ``worker`` stays None where /proc does not show it: inside a pid namespace, on kernels before 6.4.
    Raises CapabilityMissing when the file cannot be opened.
    """

    kind: ClassVar[str] = "kernel"
    capabilities: ClassVar[frozenset[str]] = frozenset({"reset_owner", "backend_features", "busyloop_timeout"})

    def __init__(self, recorder: Recorder | None = None, path: str = PATH) -> None:
        super().__init__(recorder)
        self._fd = open_vhost(path)
        self._worker: WorkerThread | None = None
        args = ["AT_FDCWD", f'"{path}"', "O_RDWR|O_CLOEXEC"]
        self.recorder.emit(Syscall("openat", args, self._fd), actor="control")

    @property
    def fd(self) -> int:
        """The open file, -1 once closed."""
        return self._fd

    @property
    def worker(self) -> WorkerThread | None:
        """The kernel's thread, found by comparing /proc before and after set_owner."""
        return self._worker

    def close(self) -> None:
        """Close the file: the kernel stops the rings and ends the worker."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _do(self, request: VhostIoctl, raw: bytes = b"") -> bytes:
        """One ioctl. Raises OSError with the kernel's errno; returns the argument as the kernel left it."""
        if not raw:
            fcntl.ioctl(self._fd, request.value)
            return b""
        buffer = bytearray(raw)
        fcntl.ioctl(self._fd, request.value, buffer, True)
        return bytes(buffer)

    def _get_features(self) -> int:
        return wire.parse_word(self._do(VhostIoctl.VHOST_GET_FEATURES, bytes(8)))

    def _set_features(self, features: int) -> None:
        self._do(VhostIoctl.VHOST_SET_FEATURES, wire.word(features))

    def _set_owner(self) -> None:
        self._do(VhostIoctl.VHOST_SET_OWNER)

    def _worker_seen(self, worker: WorkerThread | None) -> None:
        self._worker = worker

    def _set_mem_table(self, table: MemoryTable) -> None:
        self._do(VhostIoctl.VHOST_SET_MEM_TABLE, table.pack())

    def _set_vring_num(self, index: int, num: int) -> None:
        self._do(VhostIoctl.VHOST_SET_VRING_NUM, layouts.pack_vring_state(index, num))

    def _set_vring_base(self, index: int, num: int) -> None:
        self._do(VhostIoctl.VHOST_SET_VRING_BASE, layouts.pack_vring_state(index, num))

    def _get_vring_base(self, index: int) -> int:
        return layouts.unpack_vring_state(
            self._do(VhostIoctl.VHOST_GET_VRING_BASE, layouts.pack_vring_state(index, 0))
        )[1]

    def _set_vring_addr(self, index: int, where: RingAddresses) -> None:
        self._do(VhostIoctl.VHOST_SET_VRING_ADDR, where.pack(index))

    def _set_vring_kick(self, index: int, fd: int) -> None:
        self._do(VhostIoctl.VHOST_SET_VRING_KICK, layouts.pack_vring_file(index, fd))

    def _set_vring_call(self, index: int, fd: int) -> None:
        self._do(VhostIoctl.VHOST_SET_VRING_CALL, layouts.pack_vring_file(index, fd))

    def _set_vring_err(self, index: int, fd: int) -> None:
        self._do(VhostIoctl.VHOST_SET_VRING_ERR, layouts.pack_vring_file(index, fd))

    def _set_log_base(self, log: LogBitmap) -> None:
        self._do(VhostIoctl.VHOST_SET_LOG_BASE, wire.word(log.hva))

    def _set_log_fd(self, fd: int) -> None:
        self._do(VhostIoctl.VHOST_SET_LOG_FD, wire.single_fd(fd))

    def _net_set_backend(self, index: int, fd: int) -> None:
        self._do(VhostIoctl.VHOST_NET_SET_BACKEND, layouts.pack_vring_file(index, fd))

    def _reset_owner(self) -> None:
        self._do(VhostIoctl.VHOST_RESET_OWNER)
        self._worker = None

    def _get_backend_features(self) -> int:
        return wire.parse_word(self._do(VhostIoctl.VHOST_GET_BACKEND_FEATURES, bytes(8)))

    def _set_backend_features(self, features: int) -> None:
        self._do(VhostIoctl.VHOST_SET_BACKEND_FEATURES, wire.word(features))

    def _set_vring_busyloop_timeout(self, index: int, microseconds: int) -> None:
        self._do(VhostIoctl.VHOST_SET_VRING_BUSYLOOP_TIMEOUT, layouts.pack_vring_state(index, microseconds))
