"""``python -m tour.trace.schema``: the JSON Schema of one line of a recording, as docs/trace.schema.json."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from tour.trace.events import Event

PATH = Path(__file__).parents[2] / "docs" / "trace.schema.json"


def text() -> str:
    """The schema, as the file holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_tidy(msgspec.json.schema(Event))}
    return json.dumps(schema, indent=1) + "\n"


def _tidy(part: Any) -> Any:
    """Descriptions come from docstrings, which Python 3.13 keeps without their indentation and older ones with it."""
    if isinstance(part, list):
        return [_tidy(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: inspect.cleandoc(one) if key == "description" and isinstance(one, str) else _tidy(one)
        for key, one in part.items()
    }


if __name__ == "__main__":
    PATH.write_text(text(), "utf-8")
