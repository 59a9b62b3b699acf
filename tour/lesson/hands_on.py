"""Levels of hands-on for a lesson's steps: watch (the tour acts), drive (choose the action), type (write the line).

What is judged is only which action comes next. The action itself is the step's own, whoever named it.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tour.errors import UsageError
from tour.i18n import Lang
from tour.lesson.model import Lesson, StepSpec

Level = Literal["watch", "drive", "type"]
LEVELS: tuple[Level, ...] = ("watch", "drive", "type")
TRIES = 2
"""Wrong ones before the right one is shown."""
MOST = 6
"""Actions to choose from."""


class Verdict(msgspec.Struct, frozen=True):
    """``right``, or wrong; then ``step`` is the later step that the action belongs to, '' for none."""

    right: bool
    step: str = ""


def offered(lesson: Lesson, index: int, lang: Lang, vary: str = "") -> list[tuple[str, str]]:
    """Id and words of the actions to choose from: this step's and its neighbours', in an order that tells nothing."""
    first = max(0, min(index - 2, len(lesson.step) - MOST))
    near = lesson.step[first : first + MOST]
    return sorted(((step.id, step.within(vary).name(lang)) for step in near), key=lambda pair: pair[1])


def judge(lesson: Lesson, index: int, said: str, vary: str = "") -> Verdict:
    """Whether ``said`` (a step's id or title, or the line as one would write it) is the step's action."""
    said, steps = said.strip(), [step.within(vary) for step in lesson.step]
    if said in _names(steps[index]) or _matches(steps[index], said):
        return Verdict(right=True)
    later = (step for step in steps[index + 1 :] if said in _names(step) or _matches(step, said))
    return Verdict(right=False, step=next((step.id for step in later), ""))


def shown_line(lesson: Lesson, index: int, lang: Lang, vary: str = "") -> str:
    """What the right answer is: the line, but no more than its name where the line would answer the question."""
    step = lesson.step[index].within(vary)
    return step.line if step.line and step.predict is None else step.name(lang)


def level_of(text: str) -> Level:
    """``--level`` checked. Raises UsageError."""
    for level in LEVELS:
        if text == level:
            return level
    raise UsageError(f"There is no level '{text}'.", f"Choose one of {', '.join(LEVELS)}.")


def _names(step: StepSpec) -> set[str]:
    return {step.id, *([step.title.en, step.title.zh] if step.title else [])}


def _matches(step: StepSpec, said: str) -> bool:
    """Whether both name the same thing done: the same call, or a store to the same word."""
    wanted = chief(step.line)
    return bool(wanted) and chief(said) == wanted


def chief(line: str) -> str:
    """What a line does: the vhost call in it (``set_owner``), else the function called or the word stored to."""
    lower = line.lower()
    call = re.search(r"vhost_(?:net_)?(\w+)", lower) or re.match(r"\s*((?:set|get|net|reset)_\w+)", lower)
    if call is not None:
        return call.group(1).removeprefix("net_")
    first = re.match(r"\s*([\w.]+(?:\[\w*\])?[\w.]*)", lower)
    return re.sub(r"\[\w*\]", "[]", first.group(1)) if first else ""
