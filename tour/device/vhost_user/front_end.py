"""The front end: the contract of a device as messages to any vhost-user back-end, ours, DPDK's or another.

Every call waits for its answer where the back-end gives one (REPLY_ACK). The back-end has a port of its own, so a
ring is started on no backend socket: its kick descriptor and SET_VRING_ENABLE start it, GET_VRING_BASE stops it.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import ClassVar

from tour.abi import vhost_user as abi
from tour.abi.layouts import Layout
from tour.abi.vhost_user import ProtocolFeature, Request
from tour.device.contract import Backend, RingAddresses, VhostDevice
from tour.device.vhost_user.connection import send_message
from tour.device.vhost_user.exchange import tell
from tour.device.vhost_user.message import PAYLOAD_MAX, Message
from tour.errors import CapabilityMissing, NotOffered
from tour.memory.dirty import LogBitmap
from tour.memory.table import MemoryTable
from tour.trace.recorder import Recorder

WANTED = (
    ProtocolFeature.VHOST_USER_PROTOCOL_F_MQ.mask
    | ProtocolFeature.VHOST_USER_PROTOCOL_F_LOG_SHMFD.mask
    | ProtocolFeature.VHOST_USER_PROTOCOL_F_REPLY_ACK.mask
    | ProtocolFeature.VHOST_USER_PROTOCOL_F_RESET_DEVICE.mask
)
PROTOCOL_BIT = 1 << abi.PROTOCOL_FEATURES_BIT
PATIENCE = 5.0
"""Seconds to wait for an answer."""


class VhostUserDevice(VhostDevice):
    """Queue pair ``pair`` of the back-end that listens on ``path``. A further pair shares the first one's ``sock``.

    Raises CapabilityMissing("vhost-user") when nobody listens there. Every call raises OSError: EREMOTEIO for a
    message that the back-end refused, TimeoutError, or what the socket says when the back-end is gone. Regions of a
    memory table, and a dirty log, must have descriptors; ring addresses are ours.
    """

    kind: ClassVar[str] = "vhost-user"
    probes_base: ClassVar[bool] = False

    def __init__(
        self, path: str, recorder: Recorder | None = None, *, pair: int = 0, sock: socket.socket | None = None
    ) -> None:
        super().__init__(recorder)
        self.pair = pair
        self.sock = sock or _connect(path)
        self._shared = sock is not None
        self._kicks: dict[int, int] = {}
        self.protocol = 0
        self._has_protocol = False
        try:
            self._agree(sock is None)
        except BaseException:
            self.close()
            raise

    def _agree(self, first: bool) -> None:
        """Protocol features; only whoever made the connection says which."""
        self._has_protocol = bool(self._ask(Request.VHOST_USER_GET_FEATURES) & PROTOCOL_BIT)
        if not self._has_protocol:
            return
        offered = self._ask(Request.VHOST_USER_GET_PROTOCOL_FEATURES, told=True)
        self.protocol = offered & WANTED
        if first:
            self._say(Request.VHOST_USER_SET_PROTOCOL_FEATURES, abi.U64.pack(self.protocol), told=True)

    @property
    def fd(self) -> int:
        """The socket."""
        return self.sock.fileno()

    def close(self) -> None:
        """Close the connection; the back-end stops its rings then."""
        if not self._shared:
            self.sock.close()
        while self._kicks:
            os.close(self._kicks.popitem()[1])

    def queue_num(self) -> int:
        """How many queue pairs the back-end has. Raises NotOffered without MQ."""
        feature = ProtocolFeature.VHOST_USER_PROTOCOL_F_MQ
        if not feature.on(self.protocol):
            raise NotOffered(f"The {self.kind} device does not offer {feature.name}.")
        return self._ask(Request.VHOST_USER_GET_QUEUE_NUM, told=True)

    # --- start and stop ---

    def start(self, index: int, port: Backend | None = None) -> None:
        """Let the ring work; ``port`` is the back-end's own business."""
        if index not in self._kicks:
            raise OSError(errno.EINVAL, "no kick descriptor was told")
        self._bell(Request.VHOST_USER_SET_VRING_KICK, index, self._kicks[index])
        self.set_vring_enable(index, True)

    def set_vring_enable(self, index: int, on: bool) -> None:
        """Enable or disable the ring; a disabled one discards what is sent and receives nothing."""
        if self._has_protocol:
            self._say(Request.VHOST_USER_SET_VRING_ENABLE, abi.STATE.pack(self._at(index), int(on)), told=True)

    def stop(self, index: int) -> int:
        """Stop the ring and return the index to go on from."""
        return self.get_vring_base(index)

    # --- the contract's calls ---

    def _get_features(self) -> int:
        return self._ask(Request.VHOST_USER_GET_FEATURES) & ~PROTOCOL_BIT

    def _set_features(self, features: int) -> None:
        word = features | (PROTOCOL_BIT if self._has_protocol else 0)
        self._say(Request.VHOST_USER_SET_FEATURES, abi.U64.pack(word))

    def _set_owner(self) -> None:
        self._say(Request.VHOST_USER_SET_OWNER)

    def _set_mem_table(self, table: MemoryTable) -> None:
        rows = [abi.REGION.pack(one.gpa, one.size, one.hva, one.offset) for one in table.regions]
        payload = abi.MEMORY.pack(len(rows), 0) + b"".join(rows)
        self._say(Request.VHOST_USER_SET_MEM_TABLE, payload, [one.fd for one in table.regions])

    def _set_vring_num(self, index: int, num: int) -> None:
        self._say(Request.VHOST_USER_SET_VRING_NUM, abi.STATE.pack(self._at(index), num))

    def _set_vring_base(self, index: int, num: int) -> None:
        self._say(Request.VHOST_USER_SET_VRING_BASE, abi.STATE.pack(self._at(index), num))

    def _get_vring_base(self, index: int) -> int:
        reply = self._transact(Request.VHOST_USER_GET_VRING_BASE, abi.STATE.pack(self._at(index), 0), [], answered=True)
        return _numbers(abi.STATE, reply)["num"]

    def _set_vring_addr(self, index: int, where: RingAddresses) -> None:
        self._say(Request.VHOST_USER_SET_VRING_ADDR, where.pack(self._at(index)))

    def _set_vring_kick(self, index: int, fd: int) -> None:
        if index in self._kicks:
            os.close(self._kicks.pop(index))
        if fd >= 0:
            self._kicks[index] = os.dup(fd)

    def _set_vring_call(self, index: int, fd: int) -> None:
        self._bell(Request.VHOST_USER_SET_VRING_CALL, index, fd)

    def _set_vring_err(self, index: int, fd: int) -> None:
        self._bell(Request.VHOST_USER_SET_VRING_ERR, index, fd)

    def _set_log_base(self, log: LogBitmap) -> None:
        self._transact(Request.VHOST_USER_SET_LOG_BASE, abi.LOG.pack(log.size, 0), [log.fd], answered=True)

    def _set_log_fd(self, fd: int) -> None:
        self._say(Request.VHOST_USER_SET_LOG_FD, b"", [fd])

    def _net_set_backend(self, index: int, fd: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "vhost-user has no message for a backend socket")

    # --- messages ---

    def _at(self, index: int) -> int:
        return 2 * self.pair + index

    def _bell(self, request: Request, index: int, fd: int) -> None:
        word = self._at(index) | (abi.NO_FD if fd < 0 else 0)
        self._say(request, abi.U64.pack(word), [fd] if fd >= 0 else [])

    def _ask(self, request: Request, *, told: bool = False) -> int:
        return _numbers(abi.U64, self._transact(request, b"", [], answered=True, told=told))["u64"]

    def _say(self, request: Request, payload: bytes = b"", fds: list[int] | None = None, *, told: bool = False) -> None:
        self._transact(request, payload, fds or [], answered=False, told=told)

    def _transact(
        self, request: Request, payload: bytes, fds: list[int], *, answered: bool, told: bool = False
    ) -> bytes:
        """Send, and wait for the answer if one comes. What no call of the contract tells is told here (``told``)."""
        acknowledged = ProtocolFeature.VHOST_USER_PROTOCOL_F_REPLY_ACK.on(self.protocol) and not answered
        flags = abi.VERSION | (abi.NEED_REPLY if acknowledged else 0)
        send_message(self.sock, request, flags, payload, fds)
        reply = self._receive(request) if answered or acknowledged else None
        if told and (reply is None or len(reply) == abi.U64.size):
            tell(self.recorder, Message(request, flags, payload), len(fds), None, reply)
        if acknowledged and reply is not None and _numbers(abi.U64, reply)["u64"]:
            raise OSError(errno.EREMOTEIO, f"the back-end refused {request.name}")
        return reply or b""

    def _receive(self, request: Request) -> bytes:
        header = abi.HEADER.unpack(self._exactly(abi.HEADER.size))
        if header["request"] != request or not header["flags"] & abi.REPLY or header["size"] > PAYLOAD_MAX:
            raise OSError(errno.EPROTO, f"the back-end answered another message than {request.name}")
        return self._exactly(header["size"])

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise OSError(errno.ECONNRESET, "the back-end closed the connection")
            data += piece
        return data


def _numbers(layout: Layout, reply: bytes) -> dict[str, int]:
    if len(reply) != layout.size:
        raise OSError(errno.EPROTO, f"the back-end answered with {len(reply)} bytes")
    return layout.unpack(reply)


def _connect(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(PATIENCE)
    try:
        sock.connect(path)
    except OSError as error:
        sock.close()
        raise CapabilityMissing(
            "vhost-user", f"Nobody listens on {path}: {error.strerror}.", "", f"tour vhost-user --socket {path}"
        ) from error
    return sock
