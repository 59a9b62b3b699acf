"""The page of words: one entry an idea, under its name in the page's language."""

from __future__ import annotations

from pathlib import Path

from tour.docsgen.filling import fill, plain
from tour.i18n import Lang
from tour.lesson.glossary import Term, terms

MARK = "<!-- terms -->"


def fill_glossary(page: Path, lang: Lang) -> None:
    """Put every term into ``page``. Raises UsageError when it has no place for them."""
    fill(page, MARK, "\n".join(line for key, term in terms().items() for line in _entry(key, term, lang)))


def _entry(key: str, term: Term, lang: Lang) -> list[str]:
    own, other = (term.zh, term.en) if lang == "zh" else (term.en, term.zh)
    return [f"### {plain(own)} {{#{key}}}", "", f"**{plain(other)}** · {plain(term.meaning.get(lang))}", "",
            f"*{plain(term.ref)}*", ""]  # fmt: skip
