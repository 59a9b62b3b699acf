"""One message and its answer: decoded, done, told as an event, replied to."""

from __future__ import annotations

import struct
from typing import Any

from tour.abi import vhost_user as abi
from tour.abi.vhost_user import ProtocolFeature, Request
from tour.device.vhost_user.connection import Connection
from tour.device.vhost_user.handlers import handle, parse_regions
from tour.device.vhost_user.message import Message
from tour.device.vhost_user.session import Session
from tour.errors import MessageError, MessageFault, errno_name
from tour.trace import events as ev
from tour.trace.recorder import Recorder

_ANSWERED = frozenset(
    {
        Request.VHOST_USER_GET_FEATURES,
        Request.VHOST_USER_GET_PROTOCOL_FEATURES,
        Request.VHOST_USER_GET_QUEUE_NUM,
        Request.VHOST_USER_GET_VRING_BASE,
        Request.VHOST_USER_SET_LOG_BASE,
    }
)
"""Messages with an answer of their own: a refusal has no place in it."""


def exchange(session: Session, connection: Connection, message: Message) -> None:
    """Do what ``message`` asks and answer it. Raises MessageError when it was refused and the front end can be told
    in no other way than by closing the connection; PeerGone.

    The message's descriptors are closed here, unless a handler took one.
    """
    fds = len(message.fds)
    refused: MessageError | None = None
    answer: bytes | None = None
    try:
        answer = handle(session, message)
    except MessageError as error:
        refused = error
    except OSError as error:
        refused = MessageError(MessageFault.DEVICE, error.errno or 0, errno_name(error))
    except Exception as error:  # noqa: BLE001 - no message may end the server, whatever we did not think of
        refused = MessageError(MessageFault.DEVICE, 0, type(error).__name__)
        session.recorder.emit(ev.Error("The vhost-user server met an error of its own.", repr(error)), actor="control")
    finally:
        message.close()
    if answer is None and _acknowledges(session, message):
        answer = abi.U64.pack(1 if refused else 0)
    tell(session.recorder, message, fds, refused, answer)
    if answer is not None:
        connection.send(message.request, abi.VERSION | abi.REPLY, answer)
    elif refused:
        refused.told = True
        raise refused


def _acknowledges(session: Session, message: Message) -> bool:
    negotiated = ProtocolFeature.VHOST_USER_PROTOCOL_F_REPLY_ACK.on(session.protocol)
    return negotiated and message.needs_reply and message.request not in _ANSWERED


def tell(recorder: Recorder, message: Message, fds: int, refused: MessageError | None, answer: bytes | None) -> None:
    """Record the message and what became of it."""
    closed = refused is not None and answer is None
    event = ev.Message(
        abi.name_of(message.request), message.request, message.flags,
        decode(message.request, message.payload), message.payload.hex(), fds, -1 if refused else 0,
        refused.fault.value if refused else "", refused.value if refused else 0,
        (refused.code or None) if refused else None,
        answer is not None, decode_answer(message.request, answer) if answer else {}, (answer or b"").hex(), closed,
    )  # fmt: skip
    recorder.emit(event, actor="control")


def tell_bytes(recorder: Recorder, refused: MessageError) -> None:
    """Record what was no message: the connection is closed for it."""
    event = ev.Message("", 0, 0, {}, "", 0, -1, refused.fault.value, refused.value, closed=True)
    recorder.emit(event, actor="control")


def decode(request: int, payload: bytes) -> dict[str, Any]:
    """What a request's payload says; empty for one that has none or the wrong size."""
    try:
        return _decode(request, payload)
    except (struct.error, MessageError):
        return {}


def _decode(request: int, payload: bytes) -> dict[str, Any]:
    name = abi.name_of(request)
    if request == Request.VHOST_USER_SET_MEM_TABLE:
        return {"regions": [told._asdict() for told in parse_regions(payload)]}
    if request == Request.VHOST_USER_SET_LOG_BASE:
        return abi.LOG.unpack(payload)
    if request == Request.VHOST_USER_SET_VRING_ADDR:
        index, flags, desc, used, avail, log = struct.unpack(abi.ADDR.format, payload)
        return {"index": index, "flags": flags, "desc": desc, "avail": avail, "used": used, "log": log}
    if name.endswith(("_KICK", "_CALL", "_ERR")):
        word = abi.U64.unpack(payload)["u64"]
        return {"index": word & abi.INDEX_MASK, "nofd": bool(word & abi.NO_FD)}
    if name.endswith("FEATURES"):
        return {"features": abi.U64.unpack(payload)["u64"]}
    return abi.STATE.unpack(payload)


def decode_answer(request: int, payload: bytes) -> dict[str, Any]:
    """What an answer's payload says."""
    if request == Request.VHOST_USER_GET_VRING_BASE:
        return abi.STATE.unpack(payload)
    word = abi.U64.unpack(payload)["u64"]
    name = abi.name_of(request)
    what = "features" if "GET" in name and name.endswith("FEATURES") else "num" if "GET" in name else "status"
    return {what: word}
