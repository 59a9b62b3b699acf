"""A few pictures of the whole terminal; what is on the canvas is compared cell by cell in tests/view."""

from __future__ import annotations

from typing import Protocol

import pytest

from tests.tui.scripted import ScriptedPlayer
from tour.i18n import Lang
from tour.tui.app import TourApp
from tour.tui.options import Options


class Compare(Protocol):
    """The snapshot plugin's fixture."""

    def __call__(self, app: TourApp, *, press: tuple[str, ...], terminal_size: tuple[int, int]) -> bool: ...


@pytest.mark.parametrize(
    ("lang", "size", "theme", "keys"),
    [
        ("en", (80, 24), "dark", ("2",)),
        ("zh", (160, 48), "dark", ("2",)),
        ("en", (80, 24), "mono", ("question_mark",)),
        ("zh", (80, 24), "light", ("f", "down")),
        ("en", (160, 48), "contrast", ("3", "left")),
    ],
    ids=["observe-en", "observe-zh-wide", "help-mono", "fork-zh-light", "looking-back-contrast"],
)
def test_picture(snap_compare: Compare, lang: Lang, size: tuple[int, int], theme: str, keys: tuple[str, ...]) -> None:
    app = TourApp(ScriptedPlayer(lang), Options(theme=theme, motion=False))
    assert snap_compare(app, press=keys, terminal_size=size)
