"""A copy of lesson 8 to break, and what the rules say of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tour.lesson import model

Edit = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Lesson 8's folder, copied under its own name."""
    source = Path(model.load("8").folder)
    copy = tmp_path / source.name
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Replaces ``old`` by ``new`` once in a file of the copy; ``old`` must be there."""

    def change(name: str, old: str, new: str) -> None:
        path = folder / name
        text = path.read_text("utf-8")
        assert old in text, f"{name} has no {old!r} any more"
        path.write_text(text.replace(old, new, 1), "utf-8")

    return change
