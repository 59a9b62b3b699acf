"""The rules of predictions, checks and references, as far as they can be read without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tour.dev import structure
from tour.dev.finding import Finding, line_of
from tour.dev.sources import faulty
from tour.i18n import Lang
from tour.lesson import model
from tour.lesson.model import Check, Lesson, Predict, Ref
from tour.trace import paths
from tour.trace.state import Ring, State
from tour.trace.tables import Table
from tour.view.canvas import width_of

LANGS: tuple[Lang, ...] = ("en", "zh")
FEWEST, MOST = 3, 4
QUESTION_CELLS, CHOICE_CELLS = 76, 35
"""What fits the story panel at 80 columns; choices stand in two columns."""
SENTENCE_END = {"en": r"[.?!](?:\s|$)", "zh": "[。？！]"}
_EMPTY = State(
    rings=(
        Ring(0, num=8, desc=Table([None] * 8), avail_ring=Table([None] * 8), used_ring=Table([None] * 8)),
        Ring(1, num=8, desc=Table([None] * 8), avail_ring=Table([None] * 8), used_ring=Table([None] * 8)),
    )
)


def faults(lesson: Lesson) -> list[Finding]:
    """Everything about the questions, checks and references of one lesson."""
    path = Path(lesson.folder) / "lesson.toml"
    found = []
    for section, own in structure.own_parts(lesson):
        step, _, vary = section.partition("@")
        found += _predict(path, step, vary, own.predict) + _checks(path, step, vary, own.check or [])
        found += _refs(path, step, own.ref or [])
        if not vary and not own.check:
            found.append(Finding(path, _line(path, step), "check_none", {"step": step}))
        if not vary and not own.ref:
            found.append(Finding(path, _line(path, step), "ref_none", {"step": step}))
    return found


def _line(path: Path, step: str, *needles: str) -> int:
    return line_of(path, f'id = "{step}"', *needles)


def _fork(vary: str) -> tuple[str, ...]:
    return (f"step.fork.{vary}",) if vary else ()


def _predict(path: Path, step: str, vary: str, predict: Predict | None) -> list[Finding]:
    if predict is None:
        return []
    here = _line(path, step, *_fork(vary), "predict]")
    values = {"step": step, "least": str(FEWEST), "most": str(MOST)}
    choices, found = predict.choice, []
    if not FEWEST <= len(choices) <= MOST or len({choice.id for choice in choices}) < len(choices):
        found.append(Finding(path, here, "choice_count", values))
    if sum(not choice.misconception for choice in choices) != 1:
        found.append(Finding(path, here, "choice_uncited", values))
    found += _widths(path, step, here, predict)
    for choice in choices:
        line = _line(path, step, *_fork(vary), "predict", f'id = "{choice.id}"')
        if choice.misconception and choice.misconception not in model.misconceptions():
            found.append(Finding(path, line, "misconception_unknown", values | {"name": choice.misconception}))
        found += [each for when in choice.when for each in _predicate(path, line, when)]
    return found


def _widths(path: Path, step: str, line: int, predict: Predict) -> list[Finding]:
    texts = [(predict.question, QUESTION_CELLS), *((choice.text, CHOICE_CELLS) for choice in predict.choice)]
    return [
        Finding(
            path,
            line,
            "choice_wide",
            {"text": text.get(lang), "cells": str(width_of(text.get(lang))), "most": str(most)},
        )
        for text, most in texts
        for lang in LANGS
        if width_of(text.get(lang)) > most
    ]


def _checks(path: Path, step: str, vary: str, checks: list[Check]) -> list[Finding]:
    found = []
    for check in checks:
        line = _line(path, step, *_fork(vary), ".check]]", f'id = "{check.id}"')
        found += _predicate(path, line, check.expr)
    if len({check.id for check in checks}) < len(checks):
        found.append(Finding(path, _line(path, step, *_fork(vary)), "check_twice", {"step": step}))
    return found


def _predicate(path: Path, line: int, expr: str) -> list[Finding]:
    try:
        paths.holds(expr, _EMPTY, _EMPTY)
    except paths.PathError as error:
        return [Finding(path, line, "predicate", {"expr": expr, "error": str(error)})]
    return []


def _refs(path: Path, step: str, refs: list[Ref]) -> list[Finding]:
    found = []
    for ref in refs:
        bad = [bad for text in (ref.spec, ref.kernel) if text for bad in faulty(text)]
        if not (ref.spec or ref.kernel):
            bad.append(ref.qemu)
        found += [Finding(path, _line(path, step, text), "ref_form", {"step": step, "ref": text}) for text in bad]
    return found


def misconceptions() -> list[Finding]:
    """The rules of misconceptions.toml itself: refuted in one or two sentences, sourced, planted or planned."""
    path = model.root() / "misconceptions.toml"
    cited = {choice.misconception for lesson in _all() for choice in _choices(lesson)}
    found = []
    for key, row in model.read_toml(path).get("misconception", {}).items():
        line = line_of(path, f"[misconception.{key}]")
        if bad := faulty(str(row.get("ref", ""))):
            found.append(Finding(path, line, "ref_form", {"step": key, "ref": "; ".join(bad)}))
        if key not in cited and not _planned(str(row.get("planned", ""))):
            found.append(Finding(path, line, "misconception_unplanted", {"name": key}))
        found += _refuted(path, line, key, row.get("refutation", {}))
    return found


def in_work() -> set[str]:
    """Misconceptions that only lessons cite which are not ready yet."""
    by_state: dict[bool, set[str]] = {True: set(), False: set()}
    for lesson in _all():
        by_state[structure.ready(lesson.id)] |= {choice.misconception for choice in _choices(lesson)}
    return by_state[False] - by_state[True]


def _planned(text: str) -> bool:
    """Whether ``lesson 12`` names a lesson of the course that is still to be written."""
    match = re.fullmatch(r"lesson (\d+)", text)
    row = structure.course().get(match[1]) if match else None
    return row is not None and not row["ready"]


def _refuted(path: Path, line: int, key: str, words: dict[str, str]) -> list[Finding]:
    counts = {lang: len(re.findall(SENTENCE_END[lang], words.get(lang, ""))) for lang in LANGS}
    odd = [lang for lang in LANGS if not 1 <= counts[lang] <= 2]
    return [Finding(path, line, "refutation_length", {"name": key, "lang": lang}) for lang in odd]


def _all() -> Iterator[Lesson]:
    """Every lesson that can be read; one that cannot is a finding of its own."""
    for folder in model.folders().values():
        with suppress(model.LessonError):
            yield model.load_folder(folder)


def _choices(lesson: Lesson) -> list[model.Choice]:
    predicts = [own.predict for _, own in structure.own_parts(lesson)]
    return [choice for predict in predicts if predict is not None for choice in predict.choice]
