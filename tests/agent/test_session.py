"""A front end's end of an agent: whatever comes over the wire, it ends in events or in one AgentLost."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.trace.recordings import HELLO, events
from tour.agent import protocol
from tour.agent.session import Item, Mailbox, StreamSession
from tour.errors import AgentLost, TourError
from tour.trace import events as ev


class Pieces:
    """A transport that hands out what it was given, then ends."""

    def __init__(self, *pieces: bytes, broken: bool = False) -> None:
        self.pieces = list(pieces)
        self.broken = broken
        self.closed = 0

    def send(self, data: bytes) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    def receive(self) -> bytes:
        if self.broken and not self.pieces:
            raise ConnectionResetError(104, "Connection reset by peer")
        return self.pieces.pop(0) if self.pieces else b""

    def reason(self) -> str:
        return "The program exited with code 7."

    def close(self) -> None:
        self.closed += 1


def read(*pieces: bytes, broken: bool = False) -> tuple[list[ev.Event], TourError | None]:
    got: list[ev.Event] = []
    ends: list[TourError | None] = []
    StreamSession(Pieces(*pieces, broken=broken)).read(got.append, ends.append)
    assert len(ends) == 1
    return got, ends[0]


RUN = events(HELLO, ev.Kick(1, 9, 1), ev.Bye())
WIRE = b"".join(ev.encode(event) for event in RUN)


@given(st.lists(st.integers(0, len(WIRE)), max_size=6))
def test_events_come_whole_however_the_stream_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(WIRE)]
    pieces = [WIRE[a:b] for a, b in zip(edges, edges[1:], strict=False) if a != b]
    got, end = read(*pieces)
    assert got == RUN and isinstance(end, AgentLost) and "code 7" in end.why


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_end_in_one_agent_lost(noise: bytes) -> None:
    got, end = read(WIRE, noise, b"\n")
    assert got[:3] == RUN and isinstance(end, AgentLost)


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (b"\n", "truncated"),
        (b'{"seq":0}\n', "missing required field"),
        (b"\xff\xff\n", "invalid"),
        (WIRE.replace(b"6.1.0", b"\xff\xff"), "utf-8"),
        (b"x" * (ev.LINE_MAX + 2), "without end"),
        (ev.encode(events(replace(HELLO, protocol=2))[0]), "version 2 of the protocol"),
        (b'{"seq":0,"t":0,"actor":"tour","source":"tour","data":{"kind":"note","key":"","args":' + b'{"a":' * 9000, ""),
    ],
    ids=["empty", "half", "binary", "not utf-8", "endless", "newer", "deep"],
)
def test_what_is_wrong_is_said(wire: bytes, why: str) -> None:
    _, end = read(wire, b"\n")
    assert isinstance(end, AgentLost) and why in end.why


def test_a_connection_that_breaks_is_an_end_like_any_other() -> None:
    got, end = read(WIRE, broken=True)
    assert got == RUN and isinstance(end, AgentLost) and "code 7" in end.why


def test_an_end_that_was_asked_for_is_none() -> None:
    transport = Pieces(WIRE)
    session = StreamSession(transport)
    session.close()
    ends: list[TourError | None] = []
    session.read(lambda event: None, ends.append)
    assert ends == [None] and transport.closed == 1


def test_speaking_to_an_agent_that_is_gone() -> None:
    with pytest.raises(AgentLost, match="has ended") as caught:
        StreamSession(Pieces()).send(protocol.Close(1))
    assert "code 7" in caught.value.why


class Socket(Pieces):
    """A transport over a socket pair, whose other end is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.here, self.there = socket.socketpair()

    def send(self, data: bytes) -> None:
        self.here.sendall(data)

    def receive(self) -> bytes:
        return self.here.recv(65536)


def test_it_listens_on_a_thread_of_its_own() -> None:
    transport, heard, ended = Socket(), threading.Event(), threading.Event()
    StreamSession(transport).start(lambda event: heard.set(), lambda error: ended.set(), lambda text: None)
    transport.there.sendall(WIRE)
    assert heard.wait(5)
    transport.there.close()
    assert ended.wait(5)


def test_what_came_before_there_was_a_listener_is_heard_first_and_in_order() -> None:
    box, heard = Mailbox(), list[Item]()
    box.put("booting", True)
    box.put("unwanted", False)
    box.put(RUN[0], True)
    box.attach(heard.append)
    box.put(None, True)
    assert heard == ["booting", RUN[0], None]
