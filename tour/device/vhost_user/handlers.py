"""The front end's messages, one function each: what it asks of the session, and the answer where it has one.

Each raises MessageError or OSError for a message that is refused. Source: vhost-user, QEMU
docs/interop/vhost-user.rst@7.2, Front-end message types.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tour.abi import vhost_user as abi
from tour.abi.vhost_user import ProtocolFeature, Request
from tour.device.vhost_user.memory import SharedLog, SharedMemory, Told
from tour.device.vhost_user.message import Message
from tour.device.vhost_user.ring import UserAddresses, UserRing
from tour.device.vhost_user.session import Session
from tour.errors import MessageError, MessageFault

Handler = Callable[[Session, Message], bytes | None]
"""The payload of the answer, None for a message that has none of its own."""


def get_features(session: Session, message: Message) -> bytes:
    """What the device offers."""
    message.numbers("=")
    return abi.U64.pack(session.offered)


def set_features(session: Session, message: Message) -> None:
    """What the driver takes of it; may come again while rings run (a migration begins)."""
    session.acknowledge(message.u64())


def get_protocol_features(session: Session, message: Message) -> bytes:
    """What else this end understands."""
    message.numbers("=")
    return abi.U64.pack(session.protocol_offered)


def set_protocol_features(session: Session, message: Message) -> None:
    """What of it is used from now on."""
    word = message.u64()
    if word & ~session.protocol_offered:
        raise MessageError(MessageFault.FEATURES, word & ~session.protocol_offered)
    session.protocol = word


def set_owner(session: Session, message: Message) -> None:
    """The session begins: the workers appear."""
    message.numbers("=")
    session.own()


def reset_owner(session: Session, message: Message) -> None:
    """Deprecated; disables all rings, as is recommended."""
    message.numbers("=")
    session.reset()


def reset_device(session: Session, message: Message) -> None:
    """All rings as they were at the beginning."""
    _need(session, ProtocolFeature.VHOST_USER_PROTOCOL_F_RESET_DEVICE)
    message.numbers("=")
    session.reset()


def set_mem_table(session: Session, message: Message) -> None:
    """Where guest memory lies: a descriptor for each region."""
    told = parse_regions(message.payload)
    if len(message.fds) != len(told):
        raise MessageError(MessageFault.FDS, len(message.fds))
    memory = SharedMemory(told, message.fds)
    try:
        session.remember(memory)
    except BaseException:
        if session.memory is not memory:
            memory.close()
        raise


def parse_regions(payload: bytes) -> list[Told]:
    """The regions in a message; unused rows may follow (user-mode Linux always sends two).

    Raises MessageError: SIZE, REGIONS.
    """
    if len(payload) < abi.MEMORY.size:
        raise MessageError(MessageFault.SIZE, len(payload))
    count, _ = struct.unpack_from(abi.MEMORY.format, payload)
    if not 1 <= count <= abi.REGIONS_MAX:
        raise MessageError(MessageFault.REGIONS, count)
    rows, odd = divmod(len(payload) - abi.MEMORY.size, abi.REGION.size)
    if odd or not count <= rows <= abi.REGIONS_MAX:
        raise MessageError(MessageFault.SIZE, len(payload))
    size = abi.REGION.size
    return [Told(*struct.unpack_from(abi.REGION.format, payload, abi.MEMORY.size + size * i)) for i in range(count)]


def set_log_base(session: Session, message: Message) -> bytes:
    """Where to note the pages that the device writes: a piece of a file."""
    _need(session, ProtocolFeature.VHOST_USER_PROTOCOL_F_LOG_SHMFD)
    size, offset = message.numbers(abi.LOG.format)
    if len(message.fds) != 1:
        raise MessageError(MessageFault.FDS, len(message.fds))
    log = SharedLog(message.fds[0], size, offset)
    try:
        if session.memory and not log.covers(session.memory.end):
            raise MessageError(MessageFault.LOG_SIZE, size)
        session.note_in(log)
    except BaseException:
        if session.log is not log:
            log.close()
        raise
    return abi.U64.pack(0)


def set_log_fd(session: Session, message: Message) -> None:
    """Whom to ring when pages were noted."""
    message.numbers("=")
    if len(message.fds) != 1:
        raise MessageError(MessageFault.FDS, len(message.fds))
    for device in session.devices:
        device.set_log_fd(message.fds[0])


def set_vring_num(session: Session, message: Message) -> None:
    """A ring's size."""
    index, num = message.state()
    session.ring(index).set_num(num)


def set_vring_addr(session: Session, message: Message) -> None:
    """Where a ring's parts lie, as user addresses; may come again while it runs, to have its writes logged."""
    index, flags, desc, used, avail, log = message.numbers(abi.ADDR.format)
    ring = session.ring(index)
    ring.detach()
    try:
        ring.place(UserAddresses(desc, avail, used, log, flags), session.memory)
    finally:
        session.settle(ring)


def set_vring_base(session: Session, message: Message) -> None:
    """The next avail entry to read."""
    index, num = message.state()
    ring = session.ring(index)
    ring.need_stopped()
    ring.device.set_vring_base(ring.local, num)


def get_vring_base(session: Session, message: Message) -> bytes:
    """Stops the ring and says where it stopped."""
    index, _ = message.state()
    return abi.STATE.pack(index, session.stop(session.ring(index)))


def set_vring_kick(session: Session, message: Message) -> None:
    """The descriptor the driver rings; with it the ring starts."""
    ring, fd = _bell(session, message)
    if fd < 0:
        raise MessageError(MessageFault.NO_KICK)
    ring.device.set_vring_kick(ring.local, fd)
    ring.kicked = True
    session.settle(ring)


def set_vring_call(session: Session, message: Message) -> None:
    """The descriptor the device rings; none, and the driver polls."""
    ring, fd = _bell(session, message)
    ring.device.set_vring_call(ring.local, fd)


def set_vring_err(session: Session, message: Message) -> None:
    """The descriptor the device rings when the driver broke a rule."""
    ring, fd = _bell(session, message)
    ring.set_err(fd)


def _bell(session: Session, message: Message) -> tuple[UserRing, int]:
    """The ring and the descriptor (still the message's: a device keeps a duplicate), -1 where none comes."""
    word = message.u64()
    wanted = 0 if word & abi.NO_FD else 1
    if word & ~(abi.INDEX_MASK | abi.NO_FD):
        raise MessageError(MessageFault.RING_INDEX, word)
    if len(message.fds) != wanted:
        raise MessageError(MessageFault.FDS, len(message.fds))
    return session.ring(word & abi.INDEX_MASK), message.fds[0] if wanted else -1


def set_vring_enable(session: Session, message: Message) -> None:
    """A disabled ring consumes and discards what is sent, and receives nothing."""
    index, num = message.state()
    ring = session.ring(index)
    ring.enabled = bool(num)
    session.settle(ring)


def get_queue_num(session: Session, message: Message) -> bytes:
    """How many queue pairs there are."""
    message.numbers("=")
    return abi.U64.pack(session.ports.pairs)


def set_backend_req_fd(session: Session, message: Message) -> None:
    """Where this end could send messages of its own; it keeps the descriptor and has none to send."""
    _need(session, ProtocolFeature.VHOST_USER_PROTOCOL_F_BACKEND_REQ)
    message.numbers("=")
    if len(message.fds) != 1:
        raise MessageError(MessageFault.FDS, len(message.fds))
    session.keep_requests(message.take())


def _need(session: Session, feature: ProtocolFeature) -> None:
    if not feature.on(session.protocol):
        raise MessageError(MessageFault.NOT_NEGOTIATED, feature.value)


HANDLERS: dict[int, Handler] = {
    Request.VHOST_USER_GET_FEATURES: get_features,
    Request.VHOST_USER_SET_FEATURES: set_features,
    Request.VHOST_USER_SET_OWNER: set_owner,
    Request.VHOST_USER_RESET_OWNER: reset_owner,
    Request.VHOST_USER_SET_MEM_TABLE: set_mem_table,
    Request.VHOST_USER_SET_LOG_BASE: set_log_base,
    Request.VHOST_USER_SET_LOG_FD: set_log_fd,
    Request.VHOST_USER_SET_VRING_NUM: set_vring_num,
    Request.VHOST_USER_SET_VRING_ADDR: set_vring_addr,
    Request.VHOST_USER_SET_VRING_BASE: set_vring_base,
    Request.VHOST_USER_GET_VRING_BASE: get_vring_base,
    Request.VHOST_USER_SET_VRING_KICK: set_vring_kick,
    Request.VHOST_USER_SET_VRING_CALL: set_vring_call,
    Request.VHOST_USER_SET_VRING_ERR: set_vring_err,
    Request.VHOST_USER_GET_PROTOCOL_FEATURES: get_protocol_features,
    Request.VHOST_USER_SET_PROTOCOL_FEATURES: set_protocol_features,
    Request.VHOST_USER_GET_QUEUE_NUM: get_queue_num,
    Request.VHOST_USER_SET_VRING_ENABLE: set_vring_enable,
    Request.VHOST_USER_SET_BACKEND_REQ_FD: set_backend_req_fd,
    Request.VHOST_USER_RESET_DEVICE: reset_device,
}
WITHOUT_FDS = frozenset(HANDLERS) - {
    Request.VHOST_USER_SET_MEM_TABLE,
    Request.VHOST_USER_SET_LOG_BASE,
    Request.VHOST_USER_SET_LOG_FD,
    Request.VHOST_USER_SET_VRING_KICK,
    Request.VHOST_USER_SET_VRING_CALL,
    Request.VHOST_USER_SET_VRING_ERR,
    Request.VHOST_USER_SET_BACKEND_REQ_FD,
}
"""Messages that bring no descriptors."""


def handle(session: Session, message: Message) -> bytes | None:
    """Do what ``message`` asks. Raises MessageError, also for what the device refused."""
    handler = HANDLERS.get(message.request)
    if handler is None:
        raise MessageError(MessageFault.UNKNOWN, message.request)
    if message.fds and message.request in WITHOUT_FDS:
        raise MessageError(MessageFault.FDS, len(message.fds))
    return handler(session, message)
