"""Asking the terminal how wide a box glyph is, on a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from tour.tui.glyphs import PATIENCE, choose

ASK = "from tour.tui.glyphs import choose; print('got', choose())"


def run_on_terminal(answer: bytes | None, **env: str) -> str:
    """What ``choose`` says on a terminal that answers the cursor query with ``answer``."""
    master, slave = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **env}
    environ.pop("LC_ALL", None)
    child = subprocess.Popen([sys.executable, "-c", ASK], stdin=slave, stdout=slave, stderr=slave, env=environ)
    os.close(slave)
    try:
        return _talk(master, answer)
    finally:
        child.wait(20)
        os.close(master)


def _talk(master: int, answer: bytes | None) -> str:
    seen, until = b"", time.monotonic() + 20
    while b"got " not in seen or b"\n" not in seen.split(b"got ")[1]:
        assert select.select([master], [], [], max(0, until - time.monotonic()))[0], seen
        seen += os.read(master, 1024)
        if answer and b"\x1b[6n" in seen:
            os.write(master, answer)
            answer = None
    return seen.split(b"got ")[1].split()[0].decode()


def test_one_cell_means_unicode() -> None:
    assert run_on_terminal(b"\x1b[5;2R") == "unicode"


def test_two_cells_mean_ascii() -> None:
    assert run_on_terminal(b"\x1b[5;3R") == "ascii"


def test_a_silent_terminal_is_waited_for_only_briefly() -> None:
    assert PATIENCE <= 0.2
    assert run_on_terminal(None) == "unicode"


@pytest.mark.parametrize("env", [{"TERM": "linux"}, {"TERM": "dumb"}])
def test_terminals_that_lack_the_glyphs_get_ascii(env: dict[str, str]) -> None:
    assert run_on_terminal(None, **env) == "ascii"


def test_a_wish_is_not_discussed() -> None:
    assert choose("ascii", {}) == "ascii"
    assert choose("unicode", {"TERM": "linux"}) == "unicode"
