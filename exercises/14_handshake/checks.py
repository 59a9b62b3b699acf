"""What must hold of message() and handshake(): our own vhost-user session is the back-end."""

import struct
from collections.abc import Callable

from tour.abi import vhost_user as abi
from tour.abi.vhost_user import Request
from tour.judge.back_end import BackEnd, SocketHandle
from tour.judge.bench import Bench
from tour.judge.talk import Raised

PROTOCOL = 1 << abi.PROTOCOL_FEATURES_BIT
GET_FEATURES, SET_FEATURES = Request.VHOST_USER_GET_FEATURES, Request.VHOST_USER_SET_FEATURES
GET_PROTOCOL = Request.VHOST_USER_GET_PROTOCOL_FEATURES
SET_PROTOCOL = Request.VHOST_USER_SET_PROTOCOL_FEATURES
OWNER = Request.VHOST_USER_SET_OWNER
LEGAL = {
    False: [GET_FEATURES, OWNER, SET_FEATURES],
    True: [GET_FEATURES, GET_PROTOCOL, SET_PROTOCOL, OWNER, SET_FEATURES],
}


def message(bench: Bench) -> None:
    """Without and with payload."""
    cases = [(3, b""), (2, bench.random.randbytes(8)), (9, b"12345678" * 2), (bench.random.randrange(4, 40), b"x")]
    told = [bench.call("message", *case) for case in cases]
    for (request, payload), found in zip(cases, told, strict=True):
        bench.hold(isinstance(found, bytes), "what is returned", "bytes", type(found).__name__)
        head = struct.unpack("=III", found[:12].ljust(12, b"\0"))
        for name, wanted, got in zip(("request", "flags", "size"), (request, 1, len(payload)), head, strict=True):
            bench.equal(f"message({request}, {len(payload)} bytes): {name}", wanted, got)
        bench.equal(
            f"message({request}, {len(payload)} bytes)", abi.HEADER.pack(request, 1, len(payload)) + payload, found
        )


def features(bench: Bench) -> None:
    """No bit 30: two words cut down to one, and no protocol message."""
    _shake(bench, _word(bench), 0, _word(bench), 0xFFFF)


def protocol(bench: Bench) -> None:
    """With bit 30, whether the driver names it or not."""
    _shake(bench, _word(bench) | PROTOCOL, 0b1010, _word(bench) | PROTOCOL, 0b0101)
    _shake(bench, _word(bench) | PROTOCOL, 0b0101_0110_1011, _word(bench), 0b0110_1100_1101)


def pieces(bench: Bench) -> None:
    """Answers of a few bytes at a time."""
    for offered in (_word(bench), _word(bench) | PROTOCOL):
        _shake(bench, offered, 0x20AB, _word(bench), 0x30F9, in_pieces=True)


def answers(bench: Bench) -> None:
    """Answers with one number of the header wrong; each has the payload of a right one."""
    told = []
    for what, spoil in SPOILT.items():
        back_end = BackEnd(_word(bench), 0, bench.recorder, bench.stack)
        sock = SocketHandle("socket", back_end, bench.stack, spoil=spoil)
        try:
            answer = bench.call("handshake", sock, _word(bench), 0)
        except Raised as error:
            told.append((what, error.kind))
        else:
            told.append((what, f"returned {answer}"))
    for what, outcome in told:
        bench.equal(f"handshake ({what})", "ValueError", outcome)


def _changed(at: int, value: int) -> Callable[[bytes], bytes]:
    """Number ``at`` of the header is ``value`` instead."""
    return lambda answer: answer[: 4 * at] + struct.pack("=I", value) + answer[4 * at + 4 :] if answer else answer


SPOILT = {
    "an answer to another request": _changed(0, GET_PROTOCOL),
    "flags without the bit of an answer": _changed(1, abi.VERSION),
    "another version": _changed(1, 2 | abi.REPLY),
    "4 bytes instead of 8": lambda answer: _changed(2, 4)(answer)[:16],
    "the connection closed instead": lambda _: b"",
    "16 bytes instead of 8": lambda answer: _changed(2, 16)(answer) + bytes(8) if answer else answer,
}


def anything(bench: Bench) -> None:
    """Any words, bit 30 or not, whole or in pieces."""
    for _ in range(12):
        offered = bench.random.getrandbits(64)
        words = [bench.random.getrandbits(40) for _ in range(2)]
        _shake(bench, offered, words[0], bench.random.getrandbits(64), words[1], bench.random.random() < 0.5)


def _word(bench: Bench) -> int:
    """Some feature bits, always 32 and 15 among them, never bit 30; the highest and the lowest now and then."""
    return (bench.random.getrandbits(64) | 1 << 32 | 1 << 15) & ~PROTOCOL


def _shake(bench: Bench, offered: int, offers: int, wanted: int, wants: int, in_pieces: bool = False) -> None:
    back_end = BackEnd(offered, offers, bench.recorder, bench.stack)
    sock = SocketHandle("socket", back_end, bench.stack, bench.random if in_pieces else None)
    answer = bench.call("handshake", sock, wanted, wants)
    more = bool(offered & PROTOCOL)
    bench.hold(not sock.refused, "the back-end", "takes every message", f"closed the connection: {sock.refused}")
    bench.hold(not sock.half(), "messages", "whole", "the last one is not finished")
    bench.equal("messages sent", _names(LEGAL[more]), _names(sorted(back_end.asked, key=_order(more))))
    acknowledged = wanted & offered | (PROTOCOL if more else 0)
    bench.equal("SET_PROTOCOL_FEATURES", hex(wants & offers if more else 0), hex(back_end.protocol))
    bench.equal("SET_FEATURES", hex(acknowledged), hex(back_end.acknowledged))
    bench.equal("answered bytes that were not received", 0, sock.unread())
    bench.equal("what is returned", [acknowledged, wants & offers if more else 0], answer)


def _order(more: bool) -> Callable[[int], int]:
    """When messages are compared: their order is free, but for questions before what is set by their answers."""
    return lambda request: LEGAL[more].index(request) if request in LEGAL[more] else len(LEGAL[more])


def _names(requests: list[int]) -> str:
    return " ".join(abi.name_of(request).removeprefix("VHOST_USER_") for request in requests)
