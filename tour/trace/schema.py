"""``python -m tour.trace.schema``: the JSON Schema of one line of a recording, as docs/trace.schema.json."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from tour.trace.events import Event

PATH = Path(__file__).parents[2] / "docs" / "trace.schema.json"


def text() -> str:
    """The schema, as the file holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Event)}
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), "utf-8")
