"""The descriptors control hands over: which are eventfds, which may be a backend socket, what they carry.

As the kernel takes a reference to a file, we keep a duplicate: the caller may close its own.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import socket
import stat
import struct
from enum import Enum

from tour.abi import layouts
from tour.abi.names import TunFlag, TunIoctl
from tour.device.embedded.checks import refuse
from tour.device.fdinfo import eventfd_count

TUN_DEVICE = os.makedev(10, 200)
"""/dev/net/tun, wherever it is mounted (Linux devices.txt)."""
NULL_DEVICE = os.makedev(1, 3)
"""/dev/null (Linux devices.txt)."""
DRAINS_MOST = 256
"""Reads of a pipe in one go: who fills it as fast as we read must not keep us there."""
FRAME_LIMIT = 1 << 17
"""More than any link takes: 64 KiB of an offloaded packet and its headers."""
# linux/if_packet.h: PACKET_VNET_HDR since Linux 2.6.34, PACKET_VNET_HDR_SZ since 6.6.
SOL_PACKET, PACKET_VNET_HDR, PACKET_VNET_HDR_SZ = 263, 15, 24


class Doorbell:
    """An eventfd, or a pipe where those are allowed: ``number`` is the caller's descriptor, ``fd`` our duplicate.

    A pair of sockets is as good as a pipe (user-mode Linux has those). Where they are allowed the other side is a
    stranger, so none of its files may make us wait: they are made non-blocking.
    """

    def __init__(self, number: int, *, pipes: bool = False) -> None:
        """Raises OSError: EBADF when nothing is open there, EINVAL when it is no doorbell (eventfd_fget)."""
        self.number = number
        self.fd = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3) if number >= 0 else _bad(number)
        mode = os.fstat(self.fd).st_mode
        self.is_pipe = pipes and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))
        if not self.is_pipe and os.readlink(f"/proc/self/fd/{self.fd}") != "anon_inode:[eventfd]":
            os.close(self.fd)
            raise refuse(errno.EINVAL, f"descriptor {number} is no eventfd")
        if pipes:
            os.set_blocking(self.fd, False)

    def ring(self) -> None:
        """Add 1. A full counter or pipe already says all there is to say, to a closed one nobody listens, and a front
        end may have given one that cannot be written: none of it is the ringer's concern."""
        with contextlib.suppress(OSError):
            os.write(self.fd, struct.pack("=Q", 1))

    def drain(self) -> None:
        """Empty a pipe, which would fill up; an eventfd is never read: its counter is the driver's to see."""
        if self.is_pipe:
            with contextlib.suppress(OSError):
                for _ in range(DRAINS_MOST):
                    if not os.read(self.fd, 4096):
                        break

    @property
    def count(self) -> int:
        """The eventfd's counter, 0 for a pipe."""
        return eventfd_count(self.fd)

    def close(self) -> None:
        """Let go of our duplicate."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


def _bad(number: int) -> int:
    raise refuse(errno.EBADF, f"descriptor {number}")


class Sent(Enum):
    """What became of a frame handed to a port."""

    YES = "taken"
    LOST = "refused: link down, too short, too long"
    FULL = "no room: to be tried again"


class Port:
    """A backend socket in use. ``header_len`` is how many bytes of virtio_net_hdr travel with each frame.

    ``exact``: what vhost hands it is taken as it is, a header it does not expect for the frame's first bytes
    (packet_sendmsg, tap_get_user). A tap of tun is told by vhost where the frame begins (tun_xdp_one).
    """

    polled = True
    """Whether the worker is told when it is ready."""

    def __init__(self, number: int, name: str, header_len: int, *, exact: bool = False) -> None:
        self.number = number
        self.name = name
        self.header_len = header_len
        self.exact = exact
        self.fd = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
        self.pending: bytes | None = None
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)

    @property
    def broken(self) -> bool:
        """Whether nothing is behind it: a tun without a link (POLLERR), a socket whose far end is shut."""
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in self._poll.poll(0))

    def has_frame(self) -> bool:
        """Whether a frame waits, here or in the kernel."""
        return self.pending is not None or any(event & select.POLLIN for _, event in self._poll.poll(0))

    def peek(self) -> bytes | None:
        """The next frame, header first, left in place; None when there is none.

        A tap has no way to look without taking, so the frame is kept here until ``take``.
        """
        if self.pending is None:
            with contextlib.suppress(OSError):
                os.set_blocking(self.fd, False)
                self.pending = os.read(self.fd, FRAME_LIMIT) or None
        return self.pending

    def take(self) -> None:
        """Done with the frame that ``peek`` showed."""
        self.pending = None

    def send(self, header: bytes, frame: bytes, carried: int) -> Sent:
        """Send one frame, with ``carried`` bytes of header as the ring has it. One the port refuses is lost, as in
        handle_tx_copy."""
        head = header[:carried] if self.exact else header[: self.header_len].ljust(self.header_len, b"\0")
        try:
            os.writev(self.fd, [head, frame])
        except OSError as error:
            full = error.errno in (errno.EAGAIN, errno.ENOMEM, errno.ENOBUFS)
            return Sent.FULL if full else Sent.LOST
        return Sent.YES

    def close(self) -> None:
        """Let go of our duplicate."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class NullPort(Port):
    """/dev/null as a backend socket: what is sent is discarded, nothing is ever received."""

    polled = False

    def __init__(self, number: int) -> None:
        super().__init__(number, "null", layouts.NET_HDR.size)

    @property
    def broken(self) -> bool:
        """Never."""
        return False

    def has_frame(self) -> bool:
        """Never."""
        return False

    def peek(self) -> bytes | None:
        """Nothing."""
        return None

    def send(self, header: bytes, frame: bytes, carried: int) -> Sent:
        """Discard it."""
        return Sent.YES


def open_port(number: int, adopted: frozenset[int]) -> Port:
    """The port behind descriptor ``number``: a tun, tap or macvtap, a raw packet socket, or one that
    ``start`` was given as a port of ours (``adopted``): a socketpair, /dev/null. Raises ENOTSOCK for anything else
    (get_socket)."""
    try:
        mode = os.fstat(number)
    except (OSError, OverflowError):
        raise refuse(errno.ENOTSOCK, f"descriptor {number}") from None
    if stat.S_ISCHR(mode.st_mode):
        if mode.st_rdev == NULL_DEVICE and number in adopted:
            return NullPort(number)
        return _tap_port(number, mode.st_rdev)
    if stat.S_ISSOCK(mode.st_mode):
        return _socket_port(number, mode.st_ino, adopted)
    raise refuse(errno.ENOTSOCK, f"descriptor {number}")


def _tap_port(number: int, device: int) -> Port:
    request = bytearray(layouts.pack_ifreq("", 0))
    try:
        fcntl.ioctl(number, TunIoctl.TUNGETIFF.value, request, True)
    except OSError:
        if device == TUN_DEVICE:
            return Port(number, "tun that was never attached", 0)
        raise refuse(errno.ENOTSOCK, f"descriptor {number}") from None
    flags = layouts.IFREQ.unpack(bytes(request))["ifr_flags"]
    header = 0
    if flags & TunFlag.IFF_VNET_HDR:
        header = struct.unpack("=i", fcntl.ioctl(number, TunIoctl.TUNGETVNETHDRSZ.value, bytes(4)))[0]
    before = header + (0 if flags & TunFlag.IFF_NO_PI else 4)
    return Port(number, layouts.ifreq_name(bytes(request)), before, exact=device != TUN_DEVICE)


def _socket_port(number: int, inode: int, adopted: frozenset[int]) -> Port:
    with socket.socket(fileno=fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)) as held:
        if held.family == socket.AF_PACKET and held.type == socket.SOCK_RAW:
            return Port(number, f"socket {inode}", _packet_header(held), exact=True)
        if number in adopted:
            return Port(number, f"socket {inode}", layouts.NET_HDR.size)
        raise refuse(errno.ENOTSOCK, f"descriptor {number}")


def _packet_header(held: socket.socket) -> int:
    with contextlib.suppress(OSError):
        return held.getsockopt(SOL_PACKET, PACKET_VNET_HDR_SZ)
    return 10 if held.getsockopt(SOL_PACKET, PACKET_VNET_HDR) else 0
