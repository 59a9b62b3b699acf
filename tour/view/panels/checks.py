"""The checklist: the same predicates the tests run. Hidden while a prediction is open, for it would answer it."""

from __future__ import annotations

from tour.lesson.moment import CheckView
from tour.view.area import Area, View
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows


def rows(view: View, w: int) -> list[Row]:
    """A row or more a check."""
    if view.secret:
        return plain_rows(view.tr("checks.secret"), w, "dim")
    return [row for check in view.moment.checks for row in _check(view, check, w)]


def _check(view: View, check: CheckView, w: int) -> list[Row]:
    box, style = {True: ("[x]", "good"), False: ("[!]", "bad"), None: ("[ ]", "dim")}[check.ok]
    text = check.text
    if check.ok is False:
        text += view.tr("checks.found", expr=check.expr, actual=check.actual)
    lines = plain_rows(text, w - 4, style if check.ok is False else "text")
    first = [Piece(0, box, style)]
    return [[*(first if not at else []), Piece(4, row[0].text, row[0].style)] for at, row in enumerate(lines)]


def draw(area: Area, view: View) -> None:
    """As a panel."""
    found = rows(view, area.w) or plain_rows(view.tr("checks.none"), area.w, "dim")
    draw_rows(area, found, view.ui.scroll.get("checks", 0), view.tr("story.scroll"))
