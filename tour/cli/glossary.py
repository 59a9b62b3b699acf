"""``tour glossary``."""

from __future__ import annotations

import json

from tour.cli.output import tell
from tour.cli.teller import wrap
from tour.i18n import Lang
from tour.lesson import glossary

SCHEMA = "vhost-tour/glossary/1"


def print_terms(wanted: str, lang: Lang, as_json: bool) -> int:
    """The terms that fit, in both languages. Raises UsageError when none does."""
    found = glossary.find(wanted)
    if as_json:
        rows = {
            key: {
                "en": term.en,
                "zh": term.zh,
                "ref": term.ref,
                "meaning": {"en": term.meaning.en, "zh": term.meaning.zh},
            }
            for key, term in found.items()
        }
        tell(json.dumps({"schema": SCHEMA, "term": rows}, ensure_ascii=False))
        return 0
    for term in found.values():
        tell(f"{term.en}  {term.zh}" if term.en != term.zh else term.en)
        for line in (*wrap(term.meaning.get(lang), "  "), *wrap(term.ref, "  ")):
            tell(line)
    return 0
