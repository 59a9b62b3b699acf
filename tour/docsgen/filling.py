"""What pages share that are written by hand and filled from data."""

from __future__ import annotations

from pathlib import Path

from tour.errors import UsageError


def fill(page: Path, mark: str, text: str) -> None:
    """Put ``text`` where ``page`` has the line ``mark``. Raises UsageError when it has none."""
    written = page.read_text("utf-8")
    if mark not in written:
        raise UsageError(f"{page.name} has no place for what belongs there.", f"There is no line {mark}.")
    page.write_text(written.replace(mark, text), "utf-8")


def plain(text: str) -> str:
    """Text that is not Markdown, so that Markdown leaves it as it is, in a table too."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&vert;")
    for sign in "\\`*_[]{}#":
        text = text.replace(sign, "\\" + sign)
    return text
