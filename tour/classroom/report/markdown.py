"""Markdown, for a comment or a page: a table of the class, or one submission's checks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tour.classroom.marks import Counted, Mark, Report
from tour.classroom.report import Files, passed_by, plain, points, state, summary, title, why
from tour.i18n import Lang, t

_MARKS = re.compile(r"([!-/:-@\[-`{-~])")


def files(report: Report, lang: Lang) -> Files:
    """``grades.md``."""
    parts = [f"# {t(lang, 'grade.title')}", _facts(report, lang)]
    parts += [_table(report, taught.name, lang) for taught in report.exercises]
    if len(report.marks) == 1:
        parts += [_checks(report, mark, lang) for mark in report.marks]
    else:
        parts += _counts(t(lang, "grade.misconceptions"), report.whole.misconceptions, lang)
        parts += _counts(t(lang, "grade.mistakes"), report.whole.mistakes, lang)
    return {"grades.md": ("\n\n".join(parts) + "\n").encode()}


def escaped(text: str) -> str:
    """A text that is nothing but text in Markdown: every punctuation mark is taken for itself, no line is begun."""
    return _MARKS.sub(r"\\\1", plain(text))


def code(text: str) -> str:
    """Lines as an indented block of code, which nothing in them can end."""
    return "\n".join(f"    {line}" for line in plain(text, newlines=True).split("\n"))


def _facts(report: Report, lang: Lang) -> str:
    layers = " ".join(report.layers) or "-"
    return escaped(t(lang, "grade.facts", seed=report.seed, isolation=report.isolation, layers=layers))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(report: Report, exercise: str, lang: Lang) -> str:
    taught = report.taught(exercise)
    head = [t(lang, "grade.student"), t(lang, "grade.score"), *(escaped(check.id) for check in taught.checks)]
    rows = [_row(head), _row(["---"] * len(head))]
    for mark in report.marks:
        if mark.exercise == exercise:
            score = t(lang, "grade.no_mark") if mark.failed else f"{points(mark.score)}/{points(mark.max_score)}"
            rows.append(_row([_who(mark), escaped(score), *(state(check, lang) for check in mark.checks)]))
    rows.append(_row([t(lang, "grade.passed_by"), "", *map(escaped, passed_by(report, taught))]))
    return f"## {escaped(taught.title.get(lang))}\n\n" + "\n".join(rows)


def _who(mark: Mark) -> str:
    return " ".join(filter(None, (escaped(mark.student.id), escaped(mark.student.name))))


def _checks(report: Report, mark: Mark, lang: Lang) -> str:
    taught = report.taught(mark.exercise)
    lines = [f"{escaped(summary(mark, lang))}\n"]
    for check in mark.checks:
        words = why(taught, check, lang)
        said = f": {escaped(words)}" if words else ""
        got = f"{points(check.score)}/{points(check.max_score)}"
        lines.append(f"- **{state(check, lang)}** {escaped(title(taught, check, lang))} \\({got}\\){said}")
    if mark.output:
        lines.append(f"\n{escaped(t(lang, 'grade.wrote'))}\n\n{code(mark.output)}")
    return "\n".join(lines)


def _counts(head: str, counted: list[Counted], lang: Lang) -> list[str]:
    if not counted:
        return []
    rows = [_row([head, t(lang, "grade.count")]), _row(["---", "---"])]
    rows += [_row([escaped(one.say.get(lang)), str(one.count)]) for one in counted]
    return ["\n".join(rows)]
