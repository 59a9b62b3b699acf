"""What happens next: what Enter does and the line that will run, unless that would answer the question."""

from __future__ import annotations

from tour.view.area import View
from tour.view.canvas import width_of
from tour.view.panels.rows import Piece, Row, plain_rows
from tour.view.text import cut


def rows(view: View, w: int) -> list[Row]:
    """One or two rows."""
    moment = view.moment
    if moment.busy:
        return [[Piece(0, cut(view.tr("next.busy", what=moment.busy), w), "warn")]]
    if moment.badge.kind == "back":
        return plain_rows(view.tr("next.back_replay" if view.replayed else "next.back"), w, "warn")
    if view.secret:
        if moment.phase != "predict":
            return plain_rows(view.tr("next.predict"), w, "dim")
        if view.ui.lecture:
            return plain_rows(view.tr("next.lecture" if view.ui.cursor < 0 else "next.lecture_said"), w, "dim")
        tried = moment.prediction is not None and moment.prediction.tries > 0
        return plain_rows(view.tr("next.held" if tried else "next.secret"), w, "dim")
    if not moment.next_text and not moment.next_code:
        return [[Piece(0, view.tr("next.end"), "dim")]] if moment.ended else []
    text = cut(moment.next_text, w)
    row = [Piece(0, text, "key", "key:enter")]
    if moment.next_code:
        row.append(Piece(width_of(text) + 3, moment.next_code, "code"))
    return [row, *_forks(view, w)]


def _forks(view: View, w: int) -> list[Row]:
    here = [vary.title for vary in view.moment.varies if vary.here]
    if not here:
        return []
    return [[Piece(2, cut(view.tr("next.fork", what=view.tr("say.and").join(here)), w - 2), "dim", "key:f")]]
