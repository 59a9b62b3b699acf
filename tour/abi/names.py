"""Names and numbers of the kernel's interface, as a table of facts of our own.

Each fact carries the header that defines it and the kernel that first had it (Linus Torvalds' tree; stable
kernels took some over: Debian's 6.12 has VHOST_SET_FORK_FROM_OWNER). The numbers are written
here, not taken from the machine's headers, so that reading and replaying work where there is no Linux;
``csrc/abi_check.h`` (generated from this table) makes the compiler compare them with the headers at hand.

The ioctl encoding is that of asm-generic/ioctl.h: x86, arm, riscv, s390 and loongarch. alpha, mips,
powerpc and sparc encode differently; there the extension refuses to compile.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Self

_NONE, _WRITE, _READ = 0, 1, 2
VHOST_MAGIC = 0xAF
TUN_MAGIC = ord("T")


def ioc(direction: int, magic: int, number: int, size: int) -> int:
    """An ioctl request number: direction (2 bits), size of the argument in bytes (14), magic (8), number (8).

    Source: asm-generic/ioctl.h, ``_IOC``.
    """
    return direction << 30 | size << 16 | magic << 8 | number


class Fact(IntEnum):
    """A named number with where it comes from: ``header``, first kernel ``since``, the spec clause ``cite``."""

    header: str
    since: str
    cite: str
    struct: str

    def __new__(cls, value: int, header: str, since: str, cite: str = "", struct: str = "") -> Self:
        """``struct`` names the argument's C type where the fact is an ioctl ('' means none)."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.header, member.since, member.cite, member.struct = header, since, cite, struct
        return member


_VHOST = "linux/vhost.h"
_SIZES = {
    "": 0, "__u8": 1, "int": 4, "__u64": 8, "struct vhost_memory": 8, "struct vhost_vring_state": 8,
    "struct vhost_vring_file": 8, "struct vhost_vring_addr": 40, "struct vhost_worker_state": 4,
    "struct vhost_vring_worker": 8, "struct vhost_features_array": 8, "unsigned int": 4,
}  # fmt: skip


def _io(n: int, since: str = "2.6.34") -> tuple[int, str, str, str, str]:
    return ioc(_NONE, VHOST_MAGIC, n, 0), _VHOST, since, "", ""


def _iow(n: int, struct: str, since: str = "2.6.34") -> tuple[int, str, str, str, str]:
    return ioc(_WRITE, VHOST_MAGIC, n, _SIZES[struct]), _VHOST, since, "", struct


def _ior(n: int, struct: str, since: str = "2.6.34") -> tuple[int, str, str, str, str]:
    return ioc(_READ, VHOST_MAGIC, n, _SIZES[struct]), _VHOST, since, "", struct


def _iowr(n: int, struct: str, since: str = "2.6.34") -> tuple[int, str, str, str, str]:
    return ioc(_READ | _WRITE, VHOST_MAGIC, n, _SIZES[struct]), _VHOST, since, "", struct


class VhostIoctl(Fact):
    """Every ioctl of /dev/vhost-net: the member's name is the kernel's, its value the request number."""

    VHOST_GET_FEATURES = _ior(0x00, "__u64")
    VHOST_SET_FEATURES = _iow(0x00, "__u64")
    VHOST_SET_OWNER = _io(0x01)
    VHOST_RESET_OWNER = _io(0x02)
    VHOST_SET_MEM_TABLE = _iow(0x03, "struct vhost_memory")
    VHOST_SET_LOG_BASE = _iow(0x04, "__u64")
    VHOST_SET_LOG_FD = _iow(0x07, "int")
    VHOST_NEW_WORKER = _ior(0x08, "struct vhost_worker_state", "6.5")
    VHOST_FREE_WORKER = _iow(0x09, "struct vhost_worker_state", "6.5")
    VHOST_SET_VRING_NUM = _iow(0x10, "struct vhost_vring_state")
    VHOST_SET_VRING_ADDR = _iow(0x11, "struct vhost_vring_addr")
    VHOST_SET_VRING_BASE = _iow(0x12, "struct vhost_vring_state")
    VHOST_GET_VRING_BASE = _iowr(0x12, "struct vhost_vring_state")
    VHOST_SET_VRING_ENDIAN = _iow(0x13, "struct vhost_vring_state", "4.2")
    VHOST_GET_VRING_ENDIAN = _iow(0x14, "struct vhost_vring_state", "4.2")
    VHOST_ATTACH_VRING_WORKER = _iow(0x15, "struct vhost_vring_worker", "6.5")
    VHOST_GET_VRING_WORKER = _iowr(0x16, "struct vhost_vring_worker", "6.5")
    VHOST_SET_VRING_KICK = _iow(0x20, "struct vhost_vring_file")
    VHOST_SET_VRING_CALL = _iow(0x21, "struct vhost_vring_file")
    VHOST_SET_VRING_ERR = _iow(0x22, "struct vhost_vring_file")
    VHOST_SET_VRING_BUSYLOOP_TIMEOUT = _iow(0x23, "struct vhost_vring_state", "4.6")
    VHOST_GET_VRING_BUSYLOOP_TIMEOUT = _iow(0x24, "struct vhost_vring_state", "4.6")
    VHOST_SET_BACKEND_FEATURES = _iow(0x25, "__u64", "4.20")
    VHOST_GET_BACKEND_FEATURES = _ior(0x26, "__u64", "4.20")
    VHOST_NET_SET_BACKEND = _iow(0x30, "struct vhost_vring_file")
    VHOST_GET_FEATURES_ARRAY = _ior(0x83, "struct vhost_features_array", "6.17")
    VHOST_SET_FEATURES_ARRAY = _iow(0x83, "struct vhost_features_array", "6.17")
    VHOST_SET_FORK_FROM_OWNER = _iow(0x84, "__u8", "6.17")
    VHOST_GET_FORK_FROM_OWNER = _ior(0x85, "__u8", "6.17")


_TUN = "linux/if_tun.h"


def _tun(direction: int, n: int, ctype: str, since: str) -> tuple[int, str, str, str, str]:
    return ioc(direction, TUN_MAGIC, n, _SIZES[ctype]), _TUN, since, "", ctype


class TunIoctl(Fact):
    """The ioctls of /dev/net/tun that a tap needs. TUNSETIFF's real argument is a struct ifreq."""

    TUNSETIFF = _tun(_WRITE, 202, "int", "2.4")
    TUNSETPERSIST = _tun(_WRITE, 203, "int", "2.4")
    TUNSETOWNER = _tun(_WRITE, 204, "int", "2.6.0")
    TUNGETFEATURES = _tun(_READ, 207, "unsigned int", "2.6.27")
    TUNSETOFFLOAD = _tun(_WRITE, 208, "unsigned int", "2.6.27")
    TUNGETIFF = _tun(_READ, 210, "unsigned int", "2.6.27")
    TUNGETSNDBUF = _tun(_READ, 211, "int", "2.6.30")
    TUNSETSNDBUF = _tun(_WRITE, 212, "int", "2.6.30")
    TUNGETVNETHDRSZ = _tun(_READ, 215, "int", "2.6.34")
    TUNSETVNETHDRSZ = _tun(_WRITE, 216, "int", "2.6.34")
    TUNSETQUEUE = _tun(_WRITE, 217, "int", "3.8")
    TUNSETVNETLE = _tun(_WRITE, 220, "int", "3.19")
    TUNGETVNETLE = _tun(_READ, 221, "int", "3.19")


class TunFlag(Fact):
    """Flags in ifr_flags of TUNSETIFF, and offloads for TUNSETOFFLOAD."""

    IFF_TUN = 0x0001, _TUN, "2.4"
    IFF_TAP = 0x0002, _TUN, "2.4"
    IFF_NAPI = 0x0010, _TUN, "4.15"
    IFF_MULTI_QUEUE = 0x0100, _TUN, "3.8"
    IFF_ATTACH_QUEUE = 0x0200, _TUN, "3.8"
    IFF_DETACH_QUEUE = 0x0400, _TUN, "3.8"
    IFF_NO_PI = 0x1000, _TUN, "2.4"
    IFF_VNET_HDR = 0x4000, _TUN, "2.6.27"


class TunOffload(Fact):
    """Offload bits of TUNSETOFFLOAD: what the tap may hand to the guest."""

    TUN_F_CSUM = 0x01, _TUN, "2.6.27"
    TUN_F_TSO4 = 0x02, _TUN, "2.6.27"
    TUN_F_TSO6 = 0x04, _TUN, "2.6.27"
    TUN_F_TSO_ECN = 0x08, _TUN, "2.6.27"
    TUN_F_UFO = 0x10, _TUN, "2.6.27"
    TUN_F_USO4 = 0x20, _TUN, "6.2"
    TUN_F_USO6 = 0x40, _TUN, "6.2"


_NET, _CONFIG, _RING = "linux/virtio_net.h", "linux/virtio_config.h", "linux/virtio_ring.h"
_TYPES = "linux/vhost_types.h"
_NETBITS, _RESERVED = "virtio v1.3 5.1.3", "virtio v1.3 6"


class Feature(Fact):
    """Feature bits by number (not mask). A word that names one twice (15 bits of virtio-net, 26 and 27 of
    vhost) is told apart by its prefix: VHOST_* are between QEMU and vhost only and no guest sees them."""

    VIRTIO_NET_F_CSUM = 0, _NET, "2.6.24", _NETBITS
    VIRTIO_NET_F_GUEST_CSUM = 1, _NET, "2.6.27", _NETBITS
    VIRTIO_NET_F_MTU = 3, _NET, "4.9", _NETBITS
    VIRTIO_NET_F_MAC = 5, _NET, "2.6.24", _NETBITS
    VIRTIO_NET_F_GUEST_TSO4 = 7, _NET, "2.6.27", _NETBITS
    VIRTIO_NET_F_GUEST_TSO6 = 8, _NET, "2.6.27", _NETBITS
    VIRTIO_NET_F_GUEST_ECN = 9, _NET, "2.6.27", _NETBITS
    VIRTIO_NET_F_GUEST_UFO = 10, _NET, "2.6.27", _NETBITS
    VIRTIO_NET_F_HOST_TSO4 = 11, _NET, "2.6.24", _NETBITS
    VIRTIO_NET_F_HOST_TSO6 = 12, _NET, "2.6.24", _NETBITS
    VIRTIO_NET_F_HOST_ECN = 13, _NET, "2.6.24", _NETBITS
    VIRTIO_NET_F_HOST_UFO = 14, _NET, "2.6.24", _NETBITS
    VIRTIO_NET_F_MRG_RXBUF = 15, _NET, "2.6.28", _NETBITS
    VIRTIO_NET_F_STATUS = 16, _NET, "2.6.29", _NETBITS
    VIRTIO_NET_F_CTRL_VQ = 17, _NET, "2.6.30", _NETBITS
    VIRTIO_NET_F_MQ = 22, _NET, "3.8", _NETBITS
    VIRTIO_F_NOTIFY_ON_EMPTY = 24, _CONFIG, "2.6.24", "virtio v1.3 6.3"
    VHOST_F_LOG_ALL = 26, _TYPES, "2.6.34"
    VHOST_NET_F_VIRTIO_NET_HDR = 27, _TYPES, "2.6.34"
    VIRTIO_RING_F_INDIRECT_DESC = 28, _RING, "2.6.30", "virtio v1.3 2.7.5.3"
    VIRTIO_RING_F_EVENT_IDX = 29, _RING, "3.0", "virtio v1.3 2.7.10"
    VIRTIO_F_VERSION_1 = 32, _CONFIG, "4.0", _RESERVED
    VIRTIO_F_ACCESS_PLATFORM = 33, _CONFIG, "5.8", _RESERVED
    VIRTIO_F_RING_PACKED = 34, _CONFIG, "5.0", "virtio v1.3 2.8"
    VIRTIO_F_IN_ORDER = 35, _CONFIG, "6.1", "virtio v1.3 2.7.9"
    VIRTIO_F_ORDER_PLATFORM = 36, _CONFIG, "5.1", _RESERVED
    VIRTIO_F_RING_RESET = 40, _CONFIG, "6.0", "virtio v1.3 2.6.1"
    VIRTIO_NET_F_GUEST_USO4 = 54, _NET, "6.2", _NETBITS
    VIRTIO_NET_F_GUEST_USO6 = 55, _NET, "6.2", _NETBITS
    VIRTIO_NET_F_HOST_USO = 56, _NET, "6.2", _NETBITS
    VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO = 65, _NET, "6.17"
    VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO_CSUM = 66, _NET, "6.17"
    VIRTIO_NET_F_HOST_UDP_TUNNEL_GSO = 67, _NET, "6.17"
    VIRTIO_NET_F_HOST_UDP_TUNNEL_GSO_CSUM = 68, _NET, "6.17"

    @property
    def mask(self) -> int:
        """The bit as a mask: ``1 << number``."""
        return 1 << self.value

    def on(self, word: int) -> bool:
        """Whether this bit is set in the feature word ``word``."""
        return bool(word >> self.value & 1)


def word_of(*bits: Feature) -> int:
    """The feature word in which exactly ``bits`` are set."""
    word = 0
    for bit in bits:
        word |= bit.mask
    return word


def describe(word: int) -> list[str]:
    """The names of the bits set in a feature word, lowest first; an unknown bit is 'bit N'."""
    known = {bit.value: bit.name for bit in Feature}
    return [known.get(n, f"bit {n}") for n in range(word.bit_length()) if word >> n & 1]


class DescFlag(IntFlag):
    """``flags`` of a descriptor (virtio v1.3 2.7.5; linux/virtio_ring.h VRING_DESC_F_*)."""

    NEXT = 1
    WRITE = 2
    INDIRECT = 4


VRING_AVAIL_F_NO_INTERRUPT = 1
"""avail.flags: the driver wants no call. A hint only (virtio v1.3 2.7.7)."""
VRING_USED_F_NO_NOTIFY = 1
"""used.flags: the device wants no kick. A hint only (virtio v1.3 2.7.10)."""
VHOST_VRING_F_LOG = 0
"""Bit number in vhost_vring_addr.flags: log writes to the used ring (linux/vhost_types.h)."""
VHOST_FILE_UNBIND = -1
"""The fd that detaches a doorbell or the backend socket (linux/vhost.h)."""
VHOST_PAGE_SIZE = 0x1000
"""Bytes one bit of the dirty log stands for (linux/vhost_types.h)."""
