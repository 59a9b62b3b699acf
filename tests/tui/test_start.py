"""``tour start`` on a real terminal: the first time, later, at a step; what is kept, and what is left behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.terminal import Terminal, plain
from tests.support import children, wait_until
from tour.lesson.progress import Keeper, LessonProgress

SIZES = [(80, 24), (160, 48)]


@contextmanager
def begun(folder: Path, *words: str, size: tuple[int, int] = (80, 24)) -> Iterator[Terminal]:
    """The program, keeping its progress in ``folder``."""
    command = [sys.executable, "-m", "tour.cli", "start", *words, "--lang", "en", "--no-motion"]
    terminal = Terminal([*command, "--state-dir", str(folder)], *size)
    try:
        yield terminal
    finally:
        terminal.close()


def sees(terminal: Terminal, words: str, start: int = 0) -> None:
    terminal.until(lambda seen: words in plain(seen), start)


def did(folder: Path) -> None:
    keeper = Keeper(folder)
    keeper.remember("8", LessonProgress(["frame", "describe"], "entry", "2026-01-01T00:00:00Z"))
    keeper.write()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("device", ["replay", pytest.param("embedded", marks=pytest.mark.requires("embedded"))])
def test_a_step_of_a_lesson(tmp_path: Path, size: tuple[int, int], device: str) -> None:
    with begun(tmp_path, "8:3", "--device", device, size=size) as terminal:
        sees(terminal, "3/7")
        sees(terminal, "entry")
        if device == "embedded":
            sees(terminal, "YOUR TURN")
        start = len(terminal.seen)
        os.write(terminal.master, b"\r\r")
        sees(terminal, "what changed" if size[0] == 80 else "OBSERVE", start)
        assert terminal.leave(b"q") == 0
        assert "tour start 8:entry" in plain(terminal.seen)
    assert Keeper(tmp_path).read().lesson("8").steps == ["entry"]


@pytest.mark.requires("embedded")
def test_the_first_time_and_later(tmp_path: Path) -> None:
    with begun(tmp_path) as terminal:
        sees(terminal, "Enter six times")
        sees(terminal, "YOUR TURN")
        start = len(terminal.seen)
        os.write(terminal.master, b"\r")
        sees(terminal, "why", start)
        assert terminal.leave(b"q") == 0
    with begun(tmp_path) as terminal:
        sees(terminal, "what this machine can do")
        sees(terminal, "step 2 of 6")
        sees(terminal, "compiled part")
        assert terminal.leave(b"q") == 0
        assert plain(terminal.seen).rstrip().endswith("tour start")


@pytest.mark.requires("embedded")
def test_from_the_map_and_back_leaves_no_process(tmp_path: Path) -> None:
    did(tmp_path)
    with begun(tmp_path) as terminal:
        sees(terminal, "compiled part")
        wait_until(lambda: children(terminal.process.pid) == [], "the end of the probes")
        for _ in range(2):
            start = len(terminal.seen)
            os.write(terminal.master, b"\r")
            sees(terminal, "YOUR TURN", start)
            assert len(children(terminal.process.pid)) == 1
            start = len(terminal.seen)
            os.write(terminal.master, b"h")
            sees(terminal, "the course", start)
            wait_until(lambda: children(terminal.process.pid) == [], "the agent's end")
        assert terminal.leave(b"\x03") == 130


def test_leaving_at_once_waits_for_no_probe(tmp_path: Path) -> None:
    did(tmp_path)
    with begun(tmp_path) as terminal:
        sees(terminal, "the course")
        assert terminal.leave(b"q") == 0
    assert "Traceback" not in plain(terminal.seen) and "Exception" not in plain(terminal.seen)
