"""Commands: what is said is understood, and no line whatever raises anything but a decode error."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tour.agent import protocol
from tour.trace import events as ev

FORK = protocol.ForkPoint(
    "8:kick", [(0x1000, "00ff")], [protocol.RingPoint(0, 8, 1, 2, 3), protocol.RingPoint(1, 8, 1, 2, 3, [0], 1)]
)
COMMANDS: list[protocol.AnyCommand] = [
    protocol.Open(1, "8"),
    protocol.Open(2, "8", "embedded", 2, 65535, "wrap", "kick", FORK),
    protocol.Do(3, "kick", True),
    protocol.Tell(4, ev.Question("kick", ["a", "b"])),
    protocol.Tell(5, ev.Answer("kick", "a", "b", 1)),
    protocol.Close(6),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_command_survives_its_line(command: protocol.AnyCommand) -> None:
    line = protocol.encode(command)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert protocol.decode(line[:-1]) == command


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b"[]", b'{"cmd":"dance","id":1}', b'{"cmd":"do","id":1}', b'{"cmd":"do","id":"1","step":"kick"}',
        b'{"cmd":"tell","id":1,"data":{"kind":"hello"}}', b'{"cmd":"do","id":1,"step":"\xff"}', b"[" * 100000,
        b'{"cmd":"close","id":1}' + b" " * ev.LINE_MAX, b'{"cmd":"open","id":1,"lesson":"8","fork":{"origin":""}}',
    ],
    ids=["empty", "nothing", "list", "unknown", "half", "type", "payload", "not utf-8", "deep", "long", "fork"],
)  # fmt: skip
def test_what_is_no_command_is_a_decode_error(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        protocol.decode(line)


LINES = [protocol.encode(command)[:-1] for command in COMMANDS]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(LINES), st.integers(0, 300), st.binary(max_size=4))
def test_any_spoilt_line_is_a_command_or_a_decode_error(line: bytes, at: int, noise: bytes) -> None:
    with contextlib.suppress(msgspec.DecodeError):
        protocol.decode(line[:at] + noise + line[at + len(noise) :])
