"""What a front end remembers about looking: it changes the picture, never the moment."""

from __future__ import annotations

from typing import Literal

import msgspec

PANELS = ("tx", "rx", "vhost", "features", "memory", "packet", "syscalls", "source", "checks")
"""The tabs at 80x24, in order; ``Moment.show`` names the one a step brings to the front."""
MEASURED = ("figures", "plot", "guest")
"""Tabs that only lessons have which measure, plot, or run a guest of their own."""


class Ui(msgspec.Struct, frozen=True):
    """How to look at a moment.

    ``panel`` is the tab the person chose, empty for the one the step shows. ``cursor`` is the choice under the
    cursor (0 first, -1 none). ``scroll`` maps a panel or ``story`` to rows scrolled. ``spotlight`` is a packet
    field's key that is highlighted in bytes, words and memory alike. ``box_wide`` says that line-drawing glyphs
    take two cells on this terminal, so ASCII is used. ``more`` opens the step's drawer below the story.
    ``speed`` is a factor, shown while ``playing``. ``lecture``: one column at any size, for a large font, and choices
    A to D, of which the one under the cursor is what the room said.
    """

    panel: str = ""
    cursor: int = -1
    scroll: dict[str, int] = {}
    spotlight: str = ""
    glyphs: Literal["unicode", "ascii"] = "unicode"
    box_wide: bool = False
    more: bool = False
    playing: bool = False
    speed: float = 1.0
    lecture: bool = False

    def choice_mark(self, index: int) -> str:
        """What a prediction's choice is called: its number, or its letter before a room."""
        return chr(ord("A") + index) if self.lecture else str(index + 1)

    @property
    def ascii_only(self) -> bool:
        """Whether only ASCII lines and arrows may be drawn."""
        return self.glyphs == "ascii" or self.box_wide
