"""The player on the site: its scripts and colours, and a file for each lesson and language."""

from __future__ import annotations

import shutil
from pathlib import Path

from tour.docsgen.player.file import player_file
from tour.i18n import Lang
from tour.lesson.model import Lesson
from tour.trace.store import Recording
from tour.view.themes import DARK, LIGHT, Theme

WEB = Path(__file__).parents[1] / "web"
SCHEMES = ((LIGHT, ":root, [data-md-color-scheme=default]"), (DARK, "[data-md-color-scheme=slate]"))
"""The program's themes, and where the site's two schemes say they hold."""


def write_player(folder: Path) -> None:
    """Scripts and styles below ``folder``, colours as the terminal has them."""
    shutil.copytree(WEB, folder, dirs_exist_ok=True)
    (folder / "colours.css").write_text("\n".join(_colours(theme, place) for theme, place in SCHEMES), "utf-8")


def write_file(lesson: Lesson, recording: Recording, lang: Lang, folder: Path) -> Path:
    """A lesson's player file in ``folder``, where its page looks for it; its path."""
    path = folder / "player.json"
    path.write_bytes(player_file(recording, lesson, lang))
    return path


def _colours(theme: Theme, place: str) -> str:
    named = {"fg": theme.fg, "bg": theme.bg, "raised": theme.raised, "spot": theme.spot} | theme.colours
    return f"{place} {{ {' '.join(f'--vt-{name}: {value};' for name, value in named.items())} }}\n"
