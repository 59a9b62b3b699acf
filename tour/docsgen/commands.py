"""The page of commands: what each says of itself, asked of the program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tour.docsgen.filling import fill
from tour.errors import TourError
from tour.i18n import Lang

MARK = "<!-- commands -->"


def fill_commands(page: Path, lang: Lang) -> None:
    """Put every command's help into ``page``. Raises UsageError, TourError when the program does not answer."""
    lines = []
    for name, text in commands(lang).items():
        anchor = name.replace(" ", "-")
        lines += [f"## {name} {{#{anchor}}}", "", "```text", text.rstrip(), "```", ""]
    fill(page, MARK, "\n".join(lines))


def commands(lang: Lang) -> dict[str, str]:
    """Help of the program and of each of its commands, by what one types. Raises TourError."""
    argv = [sys.executable, "-m", "tour.cli.reference"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=os.environ | {"VHOST_TOUR_LANG": lang})
    if done.returncode:
        raise TourError("The program does not tell its commands.", done.stderr[-500:])
    found: dict[str, str] = json.loads(done.stdout)
    return found
