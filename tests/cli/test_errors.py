"""Exit code 2: wrong usage, recordings that cannot be read or written. One clear sentence, and what mends it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import tour
from tests.support import in_own_network
from tests.trace.recordings import reference
from tour.abi import libc
from tour.trace import store

embedded = pytest.mark.requires("embedded")
RECORDING = Path(reference().path)


# -- 2: bad arguments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["dance"], "No such command"),
        (["run"], "Missing argument"),
        (["run", "99"], "There is no lesson '99'."),
        (["run", "../8"], "There is no lesson '../8'."),
        (["run", "8", "--device", "toaster"], "There is no device 'toaster'."),
        (["run", "8", "--lang", "fr"], "Invalid value"),
        (["run", "8", "--frobnicate"], "No such option"),
        (["run", "8", "--vary", "nope", "--device", "replay"], "It has: forget_kick, size2, wrap."),
        (["run", "8", "--vary", "wrap", "--device", "replay"], "A recording cannot go another way."),
        (["record", "8", "-o", ""], "Invalid value"),
        (["replay", RECORDING, "--svg", "x.svg", "--size", "huge"], "'huge' is not a size."),
        (["replay", RECORDING, "--svg", "x.svg", "--at", "lunch"], "Lesson 8 has no step 'lunch'."),
        (["replay", RECORDING, "--svg", "x.svg", "--theme", "pink"], "There are: dark, light, contrast, mono."),
        (["replay", RECORDING, "--svg", "/no/such/x.svg"], "cannot be written: No such file or directory."),
        (["start", "8", "--device", "replay"], "tour run 8 --plain"),
        (["replay", RECORDING], "--plain"),
    ],
)
def test_bad_arguments(words: list[str], sentence: str) -> None:
    told, said = tour(*words, code=2)
    assert sentence in said and told == ""


def test_nothing_at_all_shows_the_help() -> None:
    told, said = tour(code=2)
    assert "tour start" in told + said


def test_help_is_no_error() -> None:
    assert "--device" in tour("run", "--help")[0]


# -- 2: recordings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence", "fix"),
    [
        (lambda data: data.replace(b'"kind":"kick"', b'"kind":"kiss"'), "is damaged.", "tour record 8 -o FILE"),
        (lambda data: re.sub(rb'"schema":\d+', b'"schema":99', data), "newer vhost-tour", "sh install.sh"),
        (lambda data: b"\x7fELF" + data, "is not a recording", ""),
        (lambda data: b"", "is not a recording", ""),
        (lambda data: data.replace(b'"queue":1', b'"queue":5'), "Line ", "tour record 8 -o FILE"),
        (lambda data: data.replace(b'"lesson":"8"', b'"lesson":"77"', 1), "no lesson '77'", "tour list"),
    ],
    ids=["corrupt", "newer", "binary", "empty", "contradicting", "unknown lesson"],
)
def test_corrupt_and_newer_recordings(
    tmp_path: Path, change: Callable[[bytes], bytes], sentence: str, fix: str
) -> None:
    path = tmp_path / "spoilt.jsonl"
    path.write_bytes(change(RECORDING.read_bytes()))
    told, said = tour("replay", path, "--plain", code=2)
    assert sentence in said and fix in said and told == ""


@pytest.mark.parametrize("flags", [["--json"], ["--svg", "x.svg"]])
def test_a_corrupt_recording_is_neither_printed_nor_drawn(tmp_path: Path, flags: list[str]) -> None:
    path = tmp_path / "spoilt.jsonl"
    path.write_bytes(RECORDING.read_bytes().replace(b'"kind":"bye"', b'"kind":"by"'))
    told, said = tour("replay", path, *flags, code=2)
    assert "is damaged." in said and told == ""


@pytest.mark.parametrize(("name", "reason"), [("missing.jsonl", "No such file"), (".", "Is a directory")])
def test_recordings_that_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    _, said = tour("replay", tmp_path / name, "--plain", code=2)
    assert reason in said and "tour record 8 -o FILE makes one" in said


@embedded
@pytest.mark.parametrize(("name", "reason"), [("no/such/folder/x", "No such file"), (".", "directory")])
def test_recordings_that_cannot_be_written(tmp_path: Path, name: str, reason: str) -> None:
    _, said = tour("record", "8", "-o", tmp_path / name, code=2)
    assert reason in said and "-o FILE" in said
    assert list(tmp_path.iterdir()) == []


@embedded
def test_a_full_disk_while_recording() -> None:
    _, said = tour("record", "8", "-o", "/dev/full", code=2)
    assert "cannot be written: No space left on device." in said and "free some space" in said
    assert Path("/dev/full").is_char_device()


@embedded
@in_own_network
def test_a_disk_that_fills_while_recording_keeps_what_was_recorded() -> None:
    libc.mount("tiny", "/mnt", "tmpfs", 0, "size=24k")
    _, said = tour("record", "8", "-o", "/mnt/run.jsonl", code=2)
    assert "No space left" in said and "/mnt/run.jsonl.partial" in said
    kept = store.load(Path("/mnt/run.jsonl.partial"))
    assert not kept.whole and len(kept.events) > 20
    told, said = tour("replay", "/mnt/run.jsonl.partial", "--plain")
    assert "ends early" in said


@embedded
def test_a_run_that_cannot_begin_spoils_no_older_recording(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(RECORDING.read_bytes())
    if not os.path.exists("/dev/vhost-net"):
        tour("record", "8", "--device", "kernel", "-o", path, code=3)
    tour("record", "8", "--vary", "nope", "-o", path, code=2)
    assert path.read_bytes() == RECORDING.read_bytes() and len(list(tmp_path.iterdir())) == 1
