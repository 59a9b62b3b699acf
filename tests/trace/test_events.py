"""One event, one line: what goes out comes back, and no line whatever raises anything but a decode error."""

from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trace import hostile
from tests.trace.recordings import HELLO, events, reference
from tour.trace import events as ev


@settings(max_examples=150, deadline=None)
@given(hostile.events)
def test_an_event_survives_its_line(event: ev.Event) -> None:
    line = ev.encode(event)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert ev.decode(line[:-1]) == event


def test_a_line_is_plain_json_with_its_kind_in_lower_case() -> None:
    record = json.loads(ev.encode(events(ev.RingPlace(1, 8, 1, 2, 3))[0]))
    assert record["data"]["kind"] == "ringplace" and record["actor"] == "driver"


def test_every_line_of_a_real_recording_is_written_again_as_it_was() -> None:
    recording = reference()
    with open(recording.path, "rb") as file:
        assert [ev.encode(event) for event in recording.events] == file.readlines()


GOOD = ev.encode(events(HELLO, actor="tour")[0])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255))))
def test_any_bytes_are_an_event_or_a_decode_error(spoilt: bytes | tuple[int, int]) -> None:
    line = spoilt if isinstance(spoilt, bytes) else GOOD[: spoilt[0]] + bytes([spoilt[1]]) + GOOD[spoilt[0] + 1 :]
    with contextlib.suppress(msgspec.DecodeError):
        assert isinstance(ev.decode(line), ev.Event)


NEST = b'{"seq":0,"t":0,"actor":"tour","source":"tour","data":{"kind":"note","key":"a","args":%s}}'


@pytest.mark.parametrize(
    "line",
    [NEST % (b'{"a":' * 5000 + b"1" + b"}" * 5000), NEST % b'{"a":"\xff"}', b" " * (ev.LINE_MAX + 1), b"[" * 100000],
    ids=["deep", "not utf-8", "too long", "open brackets"],
)
def test_lines_meant_to_hurt(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        ev.decode(line)


def test_a_line_too_long_is_not_written() -> None:
    with pytest.raises(ValueError, match="limit"):
        ev.encode(events(ev.Write(1, 0, "", "00" * ev.LINE_MAX))[0])
