"""Figures of the pages that explain: ``<!-- figure 8:publish who tx -->`` becomes these panels as they stood then."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from tour.agent.moments import played
from tour.agent.player import Player
from tour.docsgen.pictures import KINDS
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.course import place
from tour.lesson.model import Lesson, load
from tour.trace import store
from tour.view.excerpt import excerpt
from tour.view.svg import svg
from tour.view.themes import THEMES

MARK = re.compile(r"^<!-- figure (\w+:\w+) ([a-z ]+) -->$", re.MULTILINE)
WIDTH = 84


def fill_figures(page: Path, lang: Lang) -> None:
    """Draw every figure that ``page`` asks for, from the lessons' recordings. Raises UsageError, RecordingError."""
    written = page.read_text("utf-8")
    if MARK.search(written):
        page.write_text(MARK.sub(lambda asked: _figure(page, asked, lang), written), "utf-8")


def _figure(page: Path, asked: re.Match[str], lang: Lang) -> str:
    where = place(asked[1])
    lesson = load(where.lesson)
    player = _after(lesson, lesson.step_ids[where.step], lang)
    moment = player.moment()
    hello = moment.state.hello
    assert hello is not None, "a moment after a step has a run"
    title = t(lang, "docsgen.figure", lesson=lesson.id, title=lesson.title.get(lang), step=player.step.name(lang))
    try:
        canvas = excerpt(moment, tuple(asked[2].split()), WIDTH)
    except KeyError as error:
        raise UsageError(f"{page.name} asks for a panel that has nothing to show at {asked[1]}: {error}.") from error
    name = asked[0].strip("<!-> ").replace(" ", "-").replace(":", "-")
    for kind in KINDS:
        (page.parent / "img" / f"{name}.{kind}.svg").write_text(svg(canvas, THEMES[kind], title), "utf-8")
    shown = [f"![{title}](img/{name}.{kind}.svg#only-{kind}){{ loading=lazy }}" for kind in KINDS]
    link = f"lessons/{Path(lesson.folder).name}.md#{player.step.id}"
    said = t(lang, "docsgen.figure_of", title=title, kernel=hello.kernel, date=hello.started[:10], link=link)
    opened = f'<div class="vhost-figure" tabindex="0" role="group" aria-label="{escape(title)}" markdown>'
    return "\n".join([opened, "", *shown, "", "</div>", "", f"*{said}*"])


def _after(lesson: Lesson, step: str, lang: Lang) -> Player:
    recording = store.load(lesson.recording_path())
    return next(player for player in played(lesson, recording, lang) if player.step.id == step)
