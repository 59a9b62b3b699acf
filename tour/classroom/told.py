"""A verdict told to its learner: the checklist, then the first broken check with why, where, and a picture."""

from __future__ import annotations

from collections.abc import Iterator

from tour.classroom.pictures import WIDTH, pair
from tour.i18n import Lang, t
from tour.lesson.exercise import Exercise, ExerciseCheck
from tour.lesson.model import misconceptions
from tour.lesson.verdict import Cause, CheckVerdict, Verdict
from tour.trace.events import Store, decode
from tour.view.canvas import Canvas
from tour.view.text import wrap

MARKS = {True: "[x]", False: "[ ]", None: "[-]"}


def lines(
    exercise: Exercise, verdict: Verdict, source: str, lang: Lang, *, pictures: bool = True, width: int = WIDTH
) -> Iterator[str]:
    """The whole of it, at most ``width`` cells wide; with both rings' pictures unless they are shown otherwise."""
    for check, told in zip(exercise.check, verdict.checks, strict=True):
        yield from wrap(f"{MARKS[told.passed]} {check.title.get(lang)} ({told.score:g}/{told.max_score:g})", width)
    yield t(lang, "exercise.points", score=f"{verdict.score:g}", most=f"{verdict.max_score:g}")
    pairs = zip(exercise.check, verdict.checks, strict=True)
    broken = next(((check, one) for check, one in pairs if one.passed is False), None)
    if broken is not None:
        yield ""
        yield from why(*broken, exercise, source, lang, width)
        if pictures:
            yield from rings(broken[1], lang)
    if verdict.output.strip():
        yield ""
        yield t(lang, "exercise.output")
        for line in verdict.output.strip().splitlines()[:8]:
            yield from wrap(f"  {line}", width)


def why(
    check: ExerciseCheck, told: CheckVerdict, exercise: Exercise, source: str, lang: Lang, width: int = WIDTH
) -> Iterator[str]:
    """Why one check is broken."""
    yield t(lang, "exercise.broken", title=check.title.get(lang))
    if told.hidden:
        yield from wrap(t(lang, "exercise.hidden"), width)
        return
    assert told.cause is not None
    for text in cause_words(told.cause, exercise, lang):
        yield from (f"  {line}" for line in wrap(text, width - 2))
    number, rows = line_of(told.found, told.cause), source.splitlines()
    if 0 < number <= len(rows):
        shown = wrap(f"{exercise.file}:{number}   {rows[number - 1].strip()}", width - 2)
        yield from (f"  {line}" for line in shown)
    if told.cause.kind in ("differs", "raised"):
        yield ""
        yield from wrap(check.why.get(lang), width)
    yield from _mistake(told, lang, width)


def rings(told: CheckVerdict, lang: Lang) -> Iterator[str]:
    """The ring as it should be and as it is, where both can be drawn."""
    for name, canvas in pair(told.wanted, told.found, lang):
        yield ""
        yield t(lang, f"exercise.{name}")
        yield from drawn(canvas)


def line_of(found: list[str], cause: Cause) -> int:
    """The learner's line to look at: the one that wrote the field in question last; where the code ended, if it did;
    0 where no line can be named."""
    if cause.kind != "differs":
        return cause.line
    wrote = ""
    for event in (decode(line.encode()) for line in found):
        if isinstance(event.data, Store) and event.data.field == cause.field and event.where:
            wrote = event.where
    return int(wrote.rpartition(":")[2]) if wrote else 0


def cause_words(cause: Cause, exercise: Exercise, lang: Lang) -> Iterator[str]:
    """What a cause says in words."""
    key = f"exercise.cause.{cause.kind.replace('-', '_')}"
    number = cause.detail.removeprefix("TODO ")
    yield t(
        lang, key, field=cause.field, expected=cause.expected, found=cause.found, detail=cause.detail, number=number,
        file=exercise.file,
    )  # fmt: skip


def _mistake(told: CheckVerdict, lang: Lang, width: int) -> Iterator[str]:
    if told.say is None:
        return
    yield ""
    yield from wrap(t(lang, "exercise.mistake", say=told.say.get(lang)), width)
    known = misconceptions().get(told.misconception)
    if known is not None:
        yield from wrap(known.refutation.get(lang), width)


def drawn(canvas: Canvas) -> list[str]:
    """A canvas's rows as text, without the empty ones at its end."""
    rows = ["".join(span.text for span in row).rstrip() for row in canvas.rows()]
    while rows and not rows[-1].replace("│", "").strip():
        rows.pop()
    return rows
