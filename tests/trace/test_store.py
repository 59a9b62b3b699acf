"""Recordings on disk: written whole or kept as partial, read line by line, and refused with a sentence."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import in_own_network
from tests.trace.recordings import HELLO, events, reference
from tour.abi import libc
from tour.trace import events as ev
from tour.trace import store
from tour.trace.store import RecordingError, Writer, load
from tour.trace.timeline import Timeline

RUN = events(HELLO, ev.RingPlace(1, 8, 0, 64, 128), ev.Kick(1, 9, 1), ev.Bye())


def write(path: Path, run: list[ev.Event]) -> Writer:
    writer = Writer(path)
    for event in run:
        writer(event)
    return writer


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- writing ----------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    writer = write(path, RUN)
    assert not path.exists(), "it takes its name when it is complete"
    assert writer.close() is None
    recording = load(path)
    assert recording.events == tuple(RUN) and recording.whole and recording.hello == HELLO
    assert names(tmp_path) == ["a.jsonl"]


def test_marks_of_the_wire_are_not_recorded(tmp_path: Path) -> None:
    writer = write(tmp_path / "a.jsonl", [*RUN[:-1], *events(ev.Done(1)), RUN[-1]])
    writer.close()
    assert load(tmp_path / "a.jsonl").events == tuple(RUN)


def test_each_event_is_on_disk_at_once(tmp_path: Path) -> None:
    writer = write(tmp_path / "a.jsonl", RUN[:2])
    assert load(writer.partial).events == tuple(RUN[:2])
    writer.close()


def test_a_run_that_ended_early_is_kept_beside_an_older_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(path, RUN).close()
    kept = write(path, RUN[:2]).close()
    assert kept == tmp_path / "a.jsonl.partial"
    assert load(path).whole, "the older one is untouched"
    assert load(kept).events == tuple(RUN[:2]) and not load(kept).whole
    assert names(tmp_path) == ["a.jsonl", "a.jsonl.partial"]


def test_a_run_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(path, RUN).close()
    assert write(path, []).close() is None
    assert load(path).whole and names(tmp_path) == ["a.jsonl"]


def test_a_link_keeps_pointing_to_its_file(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "there.jsonl"
    target.touch()
    link.symlink_to(target)
    write(link, RUN).close()
    assert link.is_symlink() and load(target).whole


def test_a_pipe_is_written_straight_to(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    write(fifo, RUN).close()
    assert os.read(reader, 1 << 20) == b"".join(ev.encode(event) for event in RUN)
    os.close(reader)
    assert fifo.is_fifo(), "it was not replaced by a file"


def test_a_full_device_stops_the_recording_not_the_run() -> None:
    writer = write(Path("/dev/full"), RUN)
    assert writer.error is not None
    with pytest.raises(RecordingError, match="No space left"):
        writer.close()
    assert Path("/dev/full").is_char_device()


@in_own_network
def test_a_full_disk_keeps_what_was_written() -> None:
    folder = Path("/mnt")
    libc.mount("tiny", str(folder), "tmpfs", 0, "size=8k")
    older = folder / "a.jsonl"
    older.write_bytes(ev.encode(RUN[0]))
    long = events(HELLO, *[ev.Write(1, 0x40000, "", "00" * 500)] * 50, ev.Bye())
    writer = write(older, long)
    with pytest.raises(RecordingError, match="No space left") as caught:
        writer.close()
    kept = folder / "a.jsonl.partial"
    assert str(kept) in caught.value.why and "free some space" in caught.value.fix
    assert load(kept).events == tuple(long[: len(load(kept).events)]) and 2 <= len(load(kept).events) < 8
    assert load(older).events == (RUN[0],), "the older recording is untouched"
    assert names(folder) == ["a.jsonl", "a.jsonl.partial"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "directory"), ("no/such/folder/x", "No such file"), ("n" * 300, "too long"), ("\0", "null")],
)
def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(RecordingError, match=reason) as caught:
        Writer(tmp_path / name)
    assert "-o FILE" in caught.value.fix and caught.value.exit_code == 2
    assert names(tmp_path) == []


def test_an_event_too_long_for_a_line_stops_the_recording(tmp_path: Path) -> None:
    writer = write(tmp_path / "a", [RUN[0], *events(ev.Write(1, 0, "", "00" * ev.LINE_MAX)), RUN[1]])
    with pytest.raises(RecordingError, match="limit"):
        writer.close()
    assert load(tmp_path / "a.partial").events == (RUN[0],)


# -- reading ----------------------------------------------------------------------------------------------


def text(run: list[ev.Event]) -> bytes:
    return b"".join(ev.encode(event) for event in run)


@pytest.mark.parametrize(
    ("data", "what", "why"),
    [
        (b"", "first line is no hello", ""),
        (b"hello\n", "not a recording", "malformed"),
        (b"\xff\xfe\n", "not a recording", ""),
        (b"[" * 100000 + b"\n", "not a recording", ""),
        (b"\n" + text(RUN), "not a recording", "truncated"),
        (text(RUN[1:]), "not a recording", "schema"),
        (text(RUN[:2]) + b"x\n" + text(RUN[2:]), "Line 3 of .* is damaged", "malformed"),
        (text(RUN[:2]) + b"\n" + text(RUN[2:]), "Line 3 of .* is damaged", ""),
        (text(RUN[:1] + RUN[2:3] + events(ev.Kick(9, 1, 1))), "Line 3 of .* is damaged", "does not fit"),
        (text(RUN).replace(b'"kick"', b'"kiss"'), "Line 3 of .* is damaged", "kiss"),
        (text(RUN).replace(b'"num":8', b'"num":"8"'), "Line 2 of .* is damaged", "int"),
        (text(RUN) + b"y" * (ev.LINE_MAX + 1) + b"\n", "Line 5 of .* is damaged", "limit"),
    ],
)
def test_a_damaged_recording_is_refused_naming_the_line(tmp_path: Path, data: bytes, what: str, why: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=what) as caught:
        load(path)
    assert why in caught.value.why and str(path) in caught.value.what


def test_a_newer_recording_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    newer = b'{"seq":0,"data":{"kind":"greeting","schema":%d,"more":[1]},"odd":1}\n' % (ev.SCHEMA + 1)
    path.write_bytes(newer + b"whatever\n")
    with pytest.raises(RecordingError, match=f"newer .*schema {ev.SCHEMA + 1}") as caught:
        load(path)
    assert "git pull" in caught.value.fix


def test_a_recording_cut_off_is_played_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(text(RUN)[:-5])
    cut = load(path)
    assert cut.events == tuple(RUN[:-1]) and not cut.whole
    path.write_bytes(text(RUN[:-1]))
    assert not load(path).whole, "no bye"


@pytest.mark.parametrize("name", [".", "missing.jsonl"])
def test_what_cannot_be_read_is_said_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError, match="cannot be read") as caught:
        load(tmp_path / name)
    assert "tour record" in caught.value.fix


def test_what_one_may_not_read_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RecordingError, match="Permission denied"):
        load(tmp_path / "a.jsonl")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_an_endless_file_is_refused_after_its_first_line(device: str) -> None:
    with pytest.raises(RecordingError, match=f"{device} is not a recording") as caught:
        load(Path(device))
    assert "tour record" in caught.value.fix


class Endless(io.RawIOBase):
    """A file of which nobody knows the end; it counts what was taken from it."""

    def __init__(self, first: bytes, line: bytes) -> None:
        self.left, self.line, self.taken = first, line, 0

    def readline(self, size: int | None = -1, /) -> bytes:
        now, self.left = self.left or self.line, b""
        self.taken += len(now)
        return now


@pytest.mark.parametrize(("bytes_max", "events_max"), [(20_000, 10**9), (10**9, 30)])
def test_no_more_is_read_than_a_recording_may_hold(
    monkeypatch: pytest.MonkeyPatch, bytes_max: int, events_max: int
) -> None:
    monkeypatch.setattr(store, "BYTES_MAX", bytes_max)
    monkeypatch.setattr(store, "EVENTS_MAX", events_max)
    file = Endless(ev.encode(RUN[0]), ev.encode(events(HELLO, ev.Lost(1))[1]))
    monkeypatch.setattr(Path, "open", lambda path, mode: file)
    with pytest.raises(RecordingError, match="larger than can be replayed") as caught:
        load(Path("huge"))
    assert file.taken < bytes_max + 1000 and "head -" in caught.value.fix and "MiB" in caught.value.why


OLD = Path(__file__).parent / "schema-1.trace.jsonl"


def test_a_recording_of_the_first_schema_is_still_read() -> None:
    old = load(OLD)
    assert (old.hello.schema, old.whole) == (1, True)
    state = Timeline(old.events).edge
    assert state.opened and state.owner and state.mem_table == 2 and state.tx.kick.given == state.tx.kick.fd


REAL = Path(reference().path).read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(REAL) - 1), st.binary(min_size=1, max_size=3))
def test_any_spoilt_recording_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes) -> None:
    path = tmp_path_factory.mktemp("spoilt") / "a.jsonl"
    path.write_bytes(REAL[:at] + new + REAL[at + len(new) :])
    try:
        assert load(path).events
    except RecordingError as error:
        assert str(path) in error.what


@pytest.mark.parametrize(("limit", "most"), [("BYTES_MAX", 2 * ev.LINE_MAX + 2000), ("EVENTS_MAX", 12)])
def test_a_recording_ends_before_it_is_too_large_to_be_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(store, limit, most)
    writer = store.Writer(tmp_path / "long.jsonl")
    for event in events(HELLO, *[ev.Note("x" * 100)] * 100, ev.Bye()):
        writer(event)
    assert writer.close() is None and writer.full
    recording = store.load(tmp_path / "long.jsonl")
    assert recording.whole and recording.events[-1].data == ev.Bye("full") and 5 < len(recording.events) < 30
