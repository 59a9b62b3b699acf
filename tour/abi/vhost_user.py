"""Names, numbers and layouts of vhost-user, the same calls as vhost's as messages on a Unix socket.

There is no header of the kernel's for them. Source: vhost-user, QEMU docs/interop/vhost-user.rst@7.2 (whose
SLAVE_REQ is called BACKEND_REQ here, as QEMU does since 8.1). All numbers are of the machine's own byte order.
"""

from __future__ import annotations

from enum import IntEnum

from tour.abi.layouts import VRING_ADDR, VRING_STATE, Layout

SOURCE = "docs/interop/vhost-user.rst@7.2"
VERSION = 1
VERSION_MASK = 0x3
"""Lower 2 bits of ``flags``."""
REPLY = 1 << 2
"""Bit 2 of ``flags``: this is an answer of the back-end's."""
NEED_REPLY = 1 << 3
"""Bit 3 of ``flags``: with REPLY_ACK negotiated, the message must be answered."""
PROTOCOL_FEATURES_BIT = 30
"""VHOST_USER_F_PROTOCOL_FEATURES: a feature bit between the two ends that no guest sees."""
INDEX_MASK = 0xFF
"""Bits 0 to 7 of a doorbell's payload: the ring's index."""
NO_FD = 1 << 8
"""Bit 8 of a doorbell's payload: no descriptor comes with it."""
REGIONS_MAX = 8
"""Memory regions in one message, and so descriptors that may come with one."""


class Request(IntEnum):
    """The front end's messages: the member's name is the specification's."""

    VHOST_USER_GET_FEATURES = 1
    VHOST_USER_SET_FEATURES = 2
    VHOST_USER_SET_OWNER = 3
    VHOST_USER_RESET_OWNER = 4
    VHOST_USER_SET_MEM_TABLE = 5
    VHOST_USER_SET_LOG_BASE = 6
    VHOST_USER_SET_LOG_FD = 7
    VHOST_USER_SET_VRING_NUM = 8
    VHOST_USER_SET_VRING_ADDR = 9
    VHOST_USER_SET_VRING_BASE = 10
    VHOST_USER_GET_VRING_BASE = 11
    VHOST_USER_SET_VRING_KICK = 12
    VHOST_USER_SET_VRING_CALL = 13
    VHOST_USER_SET_VRING_ERR = 14
    VHOST_USER_GET_PROTOCOL_FEATURES = 15
    VHOST_USER_SET_PROTOCOL_FEATURES = 16
    VHOST_USER_GET_QUEUE_NUM = 17
    VHOST_USER_SET_VRING_ENABLE = 18
    VHOST_USER_SEND_RARP = 19
    VHOST_USER_NET_SET_MTU = 20
    VHOST_USER_SET_BACKEND_REQ_FD = 21
    VHOST_USER_IOTLB_MSG = 22
    VHOST_USER_SET_VRING_ENDIAN = 23
    VHOST_USER_GET_CONFIG = 24
    VHOST_USER_SET_CONFIG = 25
    VHOST_USER_CREATE_CRYPTO_SESSION = 26
    VHOST_USER_CLOSE_CRYPTO_SESSION = 27
    VHOST_USER_POSTCOPY_ADVISE = 28
    VHOST_USER_POSTCOPY_LISTEN = 29
    VHOST_USER_POSTCOPY_END = 30
    VHOST_USER_GET_INFLIGHT_FD = 31
    VHOST_USER_SET_INFLIGHT_FD = 32
    VHOST_USER_GPU_SET_SOCKET = 33
    VHOST_USER_RESET_DEVICE = 34
    VHOST_USER_VRING_KICK = 35
    VHOST_USER_GET_MAX_MEM_SLOTS = 36
    VHOST_USER_ADD_MEM_REG = 37
    VHOST_USER_REM_MEM_REG = 38
    VHOST_USER_SET_STATUS = 39
    VHOST_USER_GET_STATUS = 40


class ProtocolFeature(IntEnum):
    """Bits by number of the protocol feature word."""

    VHOST_USER_PROTOCOL_F_MQ = 0
    VHOST_USER_PROTOCOL_F_LOG_SHMFD = 1
    VHOST_USER_PROTOCOL_F_RARP = 2
    VHOST_USER_PROTOCOL_F_REPLY_ACK = 3
    VHOST_USER_PROTOCOL_F_MTU = 4
    VHOST_USER_PROTOCOL_F_BACKEND_REQ = 5
    VHOST_USER_PROTOCOL_F_CROSS_ENDIAN = 6
    VHOST_USER_PROTOCOL_F_CRYPTO_SESSION = 7
    VHOST_USER_PROTOCOL_F_PAGEFAULT = 8
    VHOST_USER_PROTOCOL_F_CONFIG = 9
    VHOST_USER_PROTOCOL_F_BACKEND_SEND_FD = 10
    VHOST_USER_PROTOCOL_F_HOST_NOTIFIER = 11
    VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD = 12
    VHOST_USER_PROTOCOL_F_RESET_DEVICE = 13
    VHOST_USER_PROTOCOL_F_INBAND_NOTIFICATIONS = 14
    VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS = 15
    VHOST_USER_PROTOCOL_F_STATUS = 16

    @property
    def mask(self) -> int:
        """The bit as a mask: ``1 << number``."""
        return 1 << self.value

    def on(self, word: int) -> bool:
        """Whether this bit is set in ``word``."""
        return bool(word >> self.value & 1)


def name_of(request: int) -> str:
    """The message's name; an unknown number as ``VHOST_USER 99``."""
    try:
        return Request(request).name
    except ValueError:
        return f"VHOST_USER {request}"


HEADER = Layout("VhostUserHeader", SOURCE, "=III", ("request", "flags", "size"))
U64 = Layout("u64", SOURCE, "=Q", ("u64",))
STATE = VRING_STATE
ADDR = VRING_ADDR
MEMORY = Layout("VhostUserMemory", SOURCE, "=II", ("nregions", "padding"))
REGION = Layout("VhostUserMemoryRegion", SOURCE, "=QQQQ", ("gpa", "size", "user", "offset"))
LOG = Layout("VhostUserLog", SOURCE, "=QQ", ("size", "offset"))
