"""What a learner begins with: the reference solution without its steps, or with the first of them done.

A step of a solution stands between ``# step 2: words | 中文`` and ``# end`` at the same indentation.
"""

from __future__ import annotations

import re

from tour.errors import UsageError
from tour.i18n import Lang
from tour.lesson.exercise import START, Exercise
from tour.lesson.model import Text

_STEP = re.compile(r"^(?P<indent> *)# step (?P<number>\d+): (?P<en>.+) \| (?P<zh>.+)$")


def steps(source: str) -> list[Text]:
    """What is to be done, step by step."""
    return [Text(found["en"], found["zh"]) for line in source.splitlines() if (found := _STEP.match(line))]


def skeleton(exercise: Exercise, lang: Lang, from_step: int = 1) -> str:
    """The file to begin with; steps before ``from_step`` are done already. Raises UsageError for one there is not."""
    if exercise.kind == "mend":
        return exercise.path(START).read_text("utf-8")
    source = exercise.solution()
    count = len(steps(source))
    if not 1 <= from_step <= count + 1:
        raise UsageError(f"There is no step {from_step}.", f"The exercise '{exercise.name}' has steps 1 to {count}.")
    return cut(source, lang, from_step)


def cut(source: str, lang: Lang, from_step: int) -> str:
    """``source`` with a TODO in the place of every step from ``from_step`` on, and without the other steps' marks."""
    kept: list[str] = []
    end = ""
    left_out = False
    for line in source.splitlines():
        found = _STEP.match(line)
        if found:
            end, left_out = f"{found['indent']}# end", int(found["number"]) >= from_step
            if left_out:
                kept += [f"{found['indent']}{text}" for text in _todo(int(found["number"]), found[lang])]
        elif end and line == end:
            end, left_out = "", False
        elif not left_out:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _todo(number: int, words: str) -> tuple[str, str]:
    return f"# TODO {number}: {words}", f'raise NotImplementedError("TODO {number}")'
