"""A tap with a queue for each queue pair of a device, offloads and header as its driver negotiated them.

Each queue is a descriptor of its own (IFF_MULTI_QUEUE); the kernel spreads frames over those that are attached.
Source: Documentation/networking/tuntap.rst, drivers/net/tun.c@6.1.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct

from tour.abi.layouts import pack_ifreq
from tour.abi.names import Feature, TunFlag, TunIoctl, TunOffload, word_of
from tour.errors import CapabilityMissing
from tour.net.file import FRAME_MAX
from tour.net.frames import NET_HDR_LEN
from tour.net.tap import DEVICE, missing

OFFLOADS = word_of(
    Feature.VIRTIO_NET_F_CSUM,
    Feature.VIRTIO_NET_F_GUEST_CSUM,
    Feature.VIRTIO_NET_F_GUEST_TSO4,
    Feature.VIRTIO_NET_F_GUEST_TSO6,
    Feature.VIRTIO_NET_F_GUEST_ECN,
    Feature.VIRTIO_NET_F_HOST_TSO4,
    Feature.VIRTIO_NET_F_HOST_TSO6,
    Feature.VIRTIO_NET_F_HOST_ECN,
)
"""Feature bits that a tap with a virtio_net_hdr makes true: it takes unfinished frames, and gives them if allowed."""
_GIVES = (
    (Feature.VIRTIO_NET_F_GUEST_TSO4, TunOffload.TUN_F_TSO4),
    (Feature.VIRTIO_NET_F_GUEST_TSO6, TunOffload.TUN_F_TSO6),
    (Feature.VIRTIO_NET_F_GUEST_ECN, TunOffload.TUN_F_TSO_ECN),
)


class TapQueue:
    """One queue: what a ring pair is attached to."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        """Its descriptor."""
        return self.fd


class QueueTap:
    """The tap ``name`` with ``count`` queues, made if there is none. Raises CapabilityMissing("tun").

    A tap that existed stays when this is closed, one that was made goes. Queue 0 is always attached, the others when
    they are used.
    """

    def __init__(self, name: str, count: int = 1, device: str = DEVICE) -> None:
        self.name = name
        self.queues: list[TapQueue] = []
        try:
            for _ in range(count):
                self.queues.append(self._open(device, several=count > 1))
        except BaseException:
            self.close()
            raise
        self._used: set[int] = set()
        for index in range(1, count):
            self._set_queue(index, TunFlag.IFF_DETACH_QUEUE)
        self.negotiated(0, NET_HDR_LEN)

    def _open(self, device: str, *, several: bool) -> TapQueue:
        try:
            fd = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise missing(f"open of {device}", error) from error
        try:
            self._attach(fd, several=several)
        except OSError as error:
            os.close(fd)
            raise self._refused(error) from error
        return TapQueue(fd)

    def _attach(self, fd: int, *, several: bool) -> None:
        """TUNSETIFF; a tap that exists with several queues wants the flag from whoever takes only one as well."""
        flags = TunFlag.IFF_TAP | TunFlag.IFF_NO_PI | TunFlag.IFF_VNET_HDR
        many = flags | TunFlag.IFF_MULTI_QUEUE
        try:
            fcntl.ioctl(fd, TunIoctl.TUNSETIFF, pack_ifreq(self.name, many if several else flags))
        except OSError as error:
            if several or error.errno != errno.EINVAL:
                raise
            fcntl.ioctl(fd, TunIoctl.TUNSETIFF, pack_ifreq(self.name, many))

    def _refused(self, error: OSError) -> CapabilityMissing:
        if error.errno != errno.EINVAL:
            return missing("ioctl TUNSETIFF", error)
        return CapabilityMissing(
            "tun", f"The tap {self.name} cannot be used: ioctl TUNSETIFF says EINVAL.",
            "It is no tap, or it was made without several queues.",
            f"ip tuntap add dev {self.name} mode tap vnet_hdr multi_queue",
        )  # fmt: skip

    def negotiated(self, features: int, header_len: int) -> None:
        """Frames bear ``header_len`` bytes of virtio_net_hdr; the driver takes what ``features`` (its word) says."""
        fd = self.queues[0].fd
        fcntl.ioctl(fd, TunIoctl.TUNSETVNETHDRSZ, struct.pack("=i", header_len))
        bits = 0
        if Feature.VIRTIO_NET_F_GUEST_CSUM.on(features):
            # A tap gives unfinished segments only with unfinished checksums (set_offload).
            bits = TunOffload.TUN_F_CSUM | sum(bit for feature, bit in _GIVES if feature.on(features))
            if not bits & (TunOffload.TUN_F_TSO4 | TunOffload.TUN_F_TSO6):
                bits &= ~TunOffload.TUN_F_TSO_ECN
        fcntl.ioctl(fd, TunIoctl.TUNSETOFFLOAD, int(bits))

    def use(self, index: int, on: bool) -> None:
        """Whether frames may be put into queue ``index``. What lay in it from before is thrown away."""
        if on == (index in self._used):
            return
        self._used ^= {index}
        if index:
            self._set_queue(index, TunFlag.IFF_ATTACH_QUEUE if on else TunFlag.IFF_DETACH_QUEUE)
        elif on:
            self._empty()

    def _set_queue(self, index: int, flag: TunFlag) -> None:
        fcntl.ioctl(self.queues[index].fd, TunIoctl.TUNSETQUEUE, pack_ifreq("", flag))

    def _empty(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(self.queues[0].fd, FRAME_MAX):
                pass

    def close(self) -> None:
        """Close every queue. Safe to call again."""
        while self.queues:
            os.close(self.queues.pop().fd)
