"""Text for a terminal or a mail: a table per exercise, what the class believes wrongly, one submission at length."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from tour.classroom.marks import Counted, Mark, Report, Taught
from tour.classroom.report import Files, passed_by, plain, points, state, summary, title, why
from tour.i18n import Lang, t

NAME_MAX = 28


def files(report: Report, lang: Lang) -> Files:
    """``grades.txt``."""
    return {"grades.txt": (text(report, lang) + "\n").encode()}


def text(report: Report, lang: Lang) -> str:
    """The report."""
    layers = " ".join(report.layers) or "-"
    lines = [t(lang, "grade.facts", seed=report.seed, isolation=report.isolation, layers=layers)]
    if len(report.marks) == 1:
        lines += _alone(report, report.marks[0], lang)
    else:
        for taught in report.exercises:
            lines += ["", *_table(report, taught, lang)]
        lines += ["", _whole(report, lang)]
        lines += _counts(t(lang, "grade.misconceptions"), report.whole.misconceptions, lang)
        lines += _counts(t(lang, "grade.mistakes"), report.whole.mistakes, lang)
    return "\n".join(lines + _besides(report, lang))


def _whole(report: Report, lang: Lang) -> str:
    whole = report.whole
    said = t(lang, "grade.whole", submissions=whole.submissions, passed=whole.passed, failed=whole.failed)
    return said + (t(lang, "grade.whole_judge", count=whole.judge_failed) if whole.judge_failed else "")


def _alone(report: Report, mark: Mark, lang: Lang) -> list[str]:
    taught = report.taught(mark.exercise)
    lines = ["", f"{plain(mark.student.id)}  {taught.title.get(lang)}  {summary(mark, lang)}"]
    for check in mark.checks:
        got = f"{points(check.score)}/{points(check.max_score)}"
        lines.append(f"  {_padded(state(check, lang), 8)} {got:>5}  {title(taught, check, lang)}")
        words = why(taught, check, lang)
        lines += [f"{'':17}{words}"] if words else []
    if mark.output:
        lines += ["", t(lang, "grade.wrote"), *(f"  {line}" for line in plain(mark.output, newlines=True).split("\n"))]
    return lines


def _table(report: Report, taught: Taught, lang: Lang) -> list[str]:
    head = [t(lang, "grade.student"), t(lang, "grade.score"), *(check.id for check in taught.checks)]
    rows = [head, *(_row(mark, lang) for mark in report.marks if mark.exercise == taught.name)]
    rows.append([t(lang, "grade.passed_by"), "", *passed_by(report, taught)])
    widths = [max(cell_len(row[at]) for row in rows) for at in range(len(head))]
    drawn = ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [taught.title.get(lang), *drawn]


def _row(mark: Mark, lang: Lang) -> list[str]:
    who = plain(" ".join(filter(None, (mark.student.id, mark.student.name))))
    score = t(lang, "grade.no_mark") if mark.failed else f"{points(mark.score)}/{points(mark.max_score)}"
    return [_padded(who, NAME_MAX) if cell_len(who) > NAME_MAX else who, score,
            *(state(check, lang) for check in mark.checks)]  # fmt: skip


def _padded(cell: str, width: int) -> str:
    return set_cell_size(cell, width)


def _counts(head: str, counted: list[Counted], lang: Lang) -> list[str]:
    return ["", head, *(f"  {one.count:4}  {one.say.get(lang)}" for one in counted)] if counted else []


def _besides(report: Report, lang: Lang) -> list[str]:
    """Names that nothing could be made of."""
    said = []
    if report.strangers:
        said.append(t(lang, "grade.strangers", names=plain(", ".join(report.strangers))))
    if report.ignored:
        said.append(t(lang, "grade.ignored", names=plain(", ".join(report.ignored))))
    return ["", *said] if said else []
