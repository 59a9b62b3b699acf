"""A lesson's steps as the player tells them: words, the question and its answer from this very run, sources."""

from __future__ import annotations

from typing import Any

from tour.i18n import Lang, t
from tour.lesson.model import Lesson, Predict, Ref, StepSpec, misconceptions
from tour.lesson.prediction import right_choice
from tour.trace import events as ev
from tour.trace.state import State
from tour.trace.timeline import Timeline
from tour.view.changes import changes
from tour.view.panels.rows import runs


def steps(lesson: Lesson | None, timeline: Timeline, lang: Lang, vary: str = "") -> list[dict[str, Any]]:
    """The steps that ``timeline`` holds from begin to end, as they are in the fork ``vary``; of a recording of no
    lesson the names it was given.

    A step begins right after the event that says so: what the step before it lit is out then.
    """
    known = {step.id: step.within(vary) for step in lesson.step} if lesson else {}
    found = []
    for mark in timeline.marks:
        end = timeline.mark(mark.step, end=True)
        if mark.end or end is None:
            continue
        place = {"id": mark.step, "begin": mark.position + 1, "end": _checked(timeline, end.position)}
        spec = known.get(mark.step)
        within = timeline.at(mark.position), timeline.at(end.position)
        found.append(place | (_told(lesson, spec, *within, lang, vary) if lesson and spec else {"name": mark.step}))
    return found


def _checked(timeline: Timeline, position: int) -> int:
    """Where the checks that follow a step's end are over."""
    while position < len(timeline) and isinstance(timeline.events[position].data, ev.Check):
        position += 1
    return position


def _told(lesson: Lesson, step: StepSpec, before: State, after: State, lang: Lang, vary: str) -> dict[str, Any]:
    words = lesson.text(lang, step.id, vary)
    return {
        "name": step.name(lang),
        "show": step.show,
        "line": step.line,
        "orient": runs(words.orient),
        "asks": _question(step.predict, before, after, lang) if step.predict else None,
        "changed": changes(before, after, lang, step.show),
        "explain": runs(words.explain),
        "more": runs(words.more),
        "checks": [[check.id, check.text.get(lang)] for check in step.check],
        "refs": [text for ref in step.ref for text in _ref(ref)],
    }


def _ref(ref: Ref) -> list[str]:
    return [text for text in (ref.spec, ref.kernel, f"QEMU: {ref.qemu}" if ref.qemu else "") if text]


def _question(asked: Predict, before: State, after: State, lang: Lang) -> dict[str, Any]:
    """The choices in their order; ``right`` is the one that came true, None when not exactly one did."""
    right = right_choice(asked.choice, before, after)
    ids = [choice.id for choice in asked.choice]
    return {
        "question": asked.question.get(lang),
        "choices": [choice.text.get(lang) for choice in asked.choice],
        "refuted": [
            t(lang, "player.refuted", choice=choice.text.get(lang),
              why=misconceptions()[choice.misconception].refutation.get(lang)) if choice.misconception else ""
            for choice in asked.choice
        ],
        "right": ids.index(right) if right else None,
    }  # fmt: skip
