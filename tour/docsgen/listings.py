"""Code on pages comes from files that tests run: a line ``<!-- file docs/examples/sniffer.py -->`` becomes its text."""

from __future__ import annotations

import re
from pathlib import Path

from tour.errors import UsageError

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"^<!-- file (\S+) -->$", re.MULTILINE)
WORDS = {".py": "python", ".toml": "toml", ".md": "text", ".sh": "bash", "": "bash"}
"""What a fence calls each kind of file."""


def fill_listings(page: Path) -> None:
    """Put every named file into ``page``. Raises UsageError for one that is not there."""
    written = page.read_text("utf-8")
    if MARK.search(written):
        page.write_text(MARK.sub(lambda found: _listing(page, found[1]), written), "utf-8")


def _listing(page: Path, name: str) -> str:
    path = ROOT / name
    if not path.is_file():
        raise UsageError(f"{page.name} shows {name}, which is not there.")
    return f'```{WORDS[path.suffix]} title="{name}"\n{path.read_text("utf-8").rstrip()}\n```'
