"""One picture a step, light and dark, drawn by the program itself from the lesson's recording."""

from __future__ import annotations

from pathlib import Path

from tour.agent.moments import played
from tour.i18n import Lang
from tour.lesson.model import Lesson
from tour.trace.store import Recording
from tour.view.screen import compose
from tour.view.svg import svg
from tour.view.themes import THEMES
from tour.view.ui import Ui

WIDTH, HEIGHT = 100, 30
KINDS = ("light", "dark")


def pictures(lesson: Lesson, recording: Recording, lang: Lang, folder: Path) -> dict[str, dict[str, str]]:
    """Draw them into ``folder``; for each step the paths by theme, relative to the folder's parent."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, dict[str, str]] = {}
    for player in played(lesson, recording, lang):
        moment = player.moment()
        canvas = compose(moment, Ui(), WIDTH, HEIGHT)
        for kind in KINDS:
            path = folder / f"{moment.step}.{kind}.svg"
            path.write_text(svg(canvas, THEMES[kind], moment.title), "utf-8")
            drawn.setdefault(moment.step, {})[kind] = f"{folder.name}/{path.name}"
    return drawn
