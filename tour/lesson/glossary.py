"""The course's words: one per idea, in both languages, each with where it is defined."""

from __future__ import annotations

import msgspec

from tour.errors import UsageError
from tour.lesson.model import LessonError, Text, read_toml, root


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One idea: its word in each language, what it means, and where that is written. ``same``: where the English of a
    lesson's section says it, the Chinese says it too."""

    en: str
    zh: str
    meaning: Text
    ref: str
    same: bool = False


def terms() -> dict[str, Term]:
    """Every term by its key. Raises LessonError."""
    path = root() / "glossary.toml"
    try:
        return msgspec.convert(read_toml(path)["term"], dict[str, Term])
    except (KeyError, msgspec.ValidationError) as error:
        raise LessonError(f"{path.name} is no glossary.", str(error)) from error


def find(wanted: str) -> dict[str, Term]:
    """The terms called ``wanted`` in either language or by key; else those whose words hold it; all for none.
    Raises UsageError when there is none."""
    known, word = terms(), wanted.lower()
    names = {key: (key, term.en.lower(), term.zh.lower()) for key, term in known.items()}
    exact = [key for key in known if word in names[key]]
    found = exact or [key for key in known if any(word in name for name in names[key])]
    if not found:
        raise UsageError(f"The glossary has no '{wanted}'.", "", "tour glossary")
    return {key: known[key] for key in found}
