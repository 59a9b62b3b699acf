"""What is left on the terminal when the screen is gone: one line, never a traceback."""

from __future__ import annotations

import os
import tempfile
import traceback
from pathlib import Path

from tour.i18n import Lang, t
from tour.lesson.moment import Moment
from tour.lesson.sandbox import SANDBOX


def resume_words(moment: Moment | None, lang: Lang) -> str:
    """How to come back to where one was: a step of a lesson, the sandbox, or (None) the map."""
    if moment is None:
        return t(lang, "tui.resume_map")
    if moment.lesson == SANDBOX:
        return t(moment.lang, "tui.resume_sandbox")
    place = f"{moment.lesson}:{moment.step}" if moment.step_index and not moment.ended else moment.lesson
    return t(moment.lang, "tui.resume", lesson=place)


def crash_words(error: BaseException, lang: Lang) -> str:
    """A defect of ours in a sentence and what helps; with VHOST_TOUR_DEBUG set, the details go to a file."""
    name = type(error).__name__
    words = [t(lang, "tui.crash", error=name), t(lang, "tui.crash.fix")]
    if os.environ.get("VHOST_TOUR_DEBUG"):
        words.append(t(lang, "tui.crash.file", path=_keep(error)))
    return "\n".join(words)


def _keep(error: BaseException) -> Path:
    fd, name = tempfile.mkstemp(prefix="vhost-tour-crash-", suffix=".txt")
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    return Path(name)
