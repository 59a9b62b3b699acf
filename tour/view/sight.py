"""What panels that lessons and watching share ask of whoever looks."""

from __future__ import annotations

from typing import Protocol

from tour.i18n import Lang
from tour.trace.state import State
from tour.view.ui import Ui


class Sight(Protocol):
    """A state, the way it is looked at, and words for it."""

    state: State
    ui: Ui
    lang: Lang

    def tr(self, key: str, **values: object) -> str:
        """A string of the view's table."""
