"""Which glyphs this terminal can be trusted with, asked once, before the screen is taken.

Box drawing, arrows and dots are of ambiguous width (UAX #11): one cell here, two in many Chinese terminals. The
terminal is asked by printing one and reading back the cursor's column (DSR 6, ECMA-48 8.3.35).
"""

from __future__ import annotations

import os
import re
import select
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, TextIO

Glyphs = Literal["unicode", "ascii"]
Wanted = Literal["auto", "unicode", "ascii"]

PATIENCE = 0.2
"""Seconds to wait for the terminal's answer; one that stays silent is taken at its locale's word."""

_PROBE = "\r─\x1b[6n"
_WIPE = "\r  \r"
_ANSWER = re.compile(rb"\x1b\[(\d+);(\d+)R")


def choose(wanted: Wanted = "auto", env: Mapping[str, str] = os.environ) -> Glyphs:
    """The glyph set to draw with. Never raises; silence or doubt about UTF-8 means ASCII."""
    if wanted != "auto":
        return wanted
    if not _speaks_utf8(env) or env.get("TERM", "") in ("linux", "dumb", "vt100", "vt220"):
        return "ascii"
    width = measure()
    return "ascii" if width is not None and width != 1 else "unicode"


def _speaks_utf8(env: Mapping[str, str]) -> bool:
    named = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or ""
    encoding = (sys.stdout.encoding or "") if sys.stdout is not None else ""
    return "utf" in named.lower().replace("-", "") or "utf" in encoding.lower()


def measure(patience: float = PATIENCE) -> int | None:
    """Cells that one box-drawing glyph takes on this terminal; None without a terminal or an answer."""
    source, target = sys.__stdin__, sys.__stderr__  # Textual draws on stderr
    if source is None or target is None or not (source.isatty() and target.isatty()):
        return None
    try:
        with _raw(source.fileno()):
            column = _ask(source.fileno(), target, patience)
    except (OSError, ValueError, ImportError):
        return None
    return None if column is None else column - 1


@contextmanager
def _raw(fd: int) -> Iterator[None]:
    import termios
    import tty

    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSANOW, before)


def _ask(fd: int, target: TextIO, patience: float) -> int | None:
    target.write(_PROBE)
    target.flush()
    try:
        return _read_column(fd, patience)
    finally:
        target.write(_WIPE)
        target.flush()


def _read_column(fd: int, patience: float) -> int | None:
    got = b""
    until = time.monotonic() + patience
    while (left := until - time.monotonic()) > 0:
        if not select.select([fd], [], [], left)[0]:
            break
        got += os.read(fd, 64)
        if answer := _ANSWER.search(got):
            return int(answer[2])
    return None
