"""What a recording's figures, listings, plots and words are called: its lesson says so, where it is installed."""

from __future__ import annotations

from functools import cache

from tour.errors import TourError
from tour.i18n import Lang
from tour.lesson.model import FigureSpec, Lesson, ListingSpec, PlotSpec, load


@cache
def _lesson(lesson_id: str) -> Lesson | None:
    try:
        return load(lesson_id)
    except (TourError, ValueError):
        return None


def figures(lesson_id: str) -> list[FigureSpec]:
    """Figures of that lesson in their order, none where the lesson is not known."""
    lesson = _lesson(lesson_id)
    return lesson.figure if lesson else []


def listings(lesson_id: str) -> list[ListingSpec]:
    """Listings of that lesson in their order."""
    lesson = _lesson(lesson_id)
    return lesson.listing if lesson else []


def plots(lesson_id: str) -> list[PlotSpec]:
    """Plots of that lesson in their order."""
    lesson = _lesson(lesson_id)
    return lesson.plot if lesson else []


def word(lesson_id: str, cell: str, lang: Lang) -> str:
    """``cell`` as a person reads it: ``@key`` is one of the lesson's words, anything else itself."""
    lesson = _lesson(lesson_id) if cell.startswith("@") else None
    known = lesson.word.get(cell[1:]) if lesson else None
    return known.get(lang) if known else cell


def figure_label(lesson_id: str, name: str, lang: Lang) -> str:
    """What a figure is called, its name where nobody says."""
    spec = next((one for one in figures(lesson_id) if one.name == name), None)
    return spec.label.get(lang) if spec else name


def figure_value(lesson_id: str, name: str, value: float | str, lang: Lang) -> str:
    """The value with its unit: thousands apart, fractions to three digits; a text's ``@key`` is a word."""
    spec = next((one for one in figures(lesson_id) if one.name == name), None)
    unit = f" {spec.unit.get(lang)}" if spec and spec.unit else ""
    return f"{number(value) if not isinstance(value, str) else word(lesson_id, value, lang)}{unit}"


def number(value: float) -> str:
    """A number as a person reads it: 12 345, 0.0123, 1.23."""
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        return f"{int(value):,}".replace(",", " ")
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.3g}"
