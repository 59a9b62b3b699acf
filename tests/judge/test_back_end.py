"""The back-end a student talks to: our server's session, behind a socket that may be cut, slow or untruthful."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tour.device.vhost_user.message import pack
from tour.judge.back_end import BackEnd, SocketHandle
from tour.judge.ops import Refused
from tour.trace.recorder import Recorder

OFFERED = 1 << 32 | 1 << 30


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _back_end(stack: ExitStack) -> BackEnd:
    return BackEnd(OFFERED, 0b1011, Recorder(), stack)


def test_it_answers_as_our_server_does(stack: ExitStack) -> None:
    sock = SocketHandle("socket", _back_end(stack), stack)
    sock.do("send", [pack(1, 1, b"")[:7]])
    assert sock.half() and sock.unread() == 0
    sock.do("send", [pack(1, 1, b"")[7:] + pack(15, 1, b"")])
    wanted = pack(1, 5, OFFERED.to_bytes(8, "little")) + pack(15, 5, (0b1011).to_bytes(8, "little"))
    assert sock.do("receive", [1000]) == wanted and not sock.half()
    sock.do(
        "send", [pack(3, 1, b"") + pack(16, 1, (2).to_bytes(8, "little")) + pack(2, 1, OFFERED.to_bytes(8, "little"))]
    )
    back_end = sock.back_end
    assert (back_end.asked, back_end.owned, back_end.protocol) == ([1, 15, 3, 16, 2], True, 2)
    assert back_end.acknowledged == OFFERED
    with pytest.raises(Refused, match="nothing comes"):
        sock.do("receive", [12])


def test_it_closes_on_what_was_not_offered(stack: ExitStack) -> None:
    sock = SocketHandle("socket", _back_end(stack), stack)
    sock.do("send", [pack(2, 1, (1).to_bytes(8, "little"))])
    assert "SET_FEATURES" in sock.refused and sock.do("receive", [12]) == b""
    for method, args in (("receive", [12]), ("send", [b"x"])):
        with pytest.raises(Refused):
            sock.do(method, args)


def test_an_answer_may_come_in_pieces(stack: ExitStack) -> None:
    sock = SocketHandle("socket", _back_end(stack), stack, random.Random(1))  # noqa: S311 - not a secret
    sock.do("send", [pack(1, 1, b"")])
    pieces = []
    while sock.unread():
        pieces.append(sock.do("receive", [20]))
    assert len(pieces) > 1 and b"".join(pieces) == pack(1, 5, OFFERED.to_bytes(8, "little"))


def test_an_answer_may_be_spoilt_or_missing(stack: ExitStack) -> None:
    spoilt = SocketHandle("socket", _back_end(stack), stack, spoil=lambda answer: answer.replace(b"\1", b"\2"))
    spoilt.do("send", [pack(1, 1, b"")])
    assert spoilt.do("receive", [1]) == b"\2"
    gone = SocketHandle("socket", _back_end(stack), stack, spoil=lambda _: b"")
    gone.do("send", [pack(1, 1, b"")])
    assert gone.do("receive", [12]) == b""
