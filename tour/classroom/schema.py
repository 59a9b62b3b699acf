"""``python -m tour.classroom.schema``: the JSON Schemas of the grader's own JSON, as docs/NAME.schema.json."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from tour.classroom.journal import Entry
from tour.classroom.marks import Report

DOCS = Path(__file__).parents[2] / "docs"
KINDS: dict[str, type] = {"grades": Report, "journal": Entry}
"""``grades.json`` as a whole; one line of ``journal.jsonl``."""


def text(name: str) -> str:
    """The schema of that name, as its file holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_tidy(msgspec.json.schema(KINDS[name]))}
    return json.dumps(schema, indent=1) + "\n"


def path(name: str) -> Path:
    """Its file."""
    return DOCS / f"{name}.schema.json"


def _tidy(part: Any) -> Any:
    """Descriptions are docstrings: without their indentation, whichever Python it is."""
    if isinstance(part, list):
        return [_tidy(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: inspect.cleandoc(one) if key == "description" and isinstance(one, str) else _tidy(one)
        for key, one in part.items()
    }


if __name__ == "__main__":
    for one in KINDS:
        path(one).write_text(text(one), "utf-8")
