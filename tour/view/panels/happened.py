"""What just happened: one exact sentence about the last event."""

from __future__ import annotations

from tour.view.area import View
from tour.view.panels.rows import Row, plain_rows
from tour.view.words import sentence


def rows(view: View, w: int) -> list[Row]:
    """The sentence, wrapped; that nothing moved is said too."""
    state = view.state
    if state.last is None:
        return plain_rows(view.tr("happened.nothing"), w, "dim")
    found = plain_rows(sentence(state.last, state, view.lang), w, "title")
    if state.ended == "still":
        found += plain_rows(view.tr("happened.still"), w, "warn")
    return found
