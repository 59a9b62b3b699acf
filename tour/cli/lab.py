"""``tour lab run``."""

from __future__ import annotations

from pathlib import Path

from tour.cli.output import say
from tour.i18n import default_language, local


def run_in_lab(command: list[str], kernel: str, timeout: float, out: str) -> int:
    """Run ``command`` in the lab; returns its exit code. Raises CapabilityMissing, TimedOut."""
    from tour.lab.boot import Options
    from tour.lab.command import run

    folder = Path(kernel) if kernel else None
    lang = default_language()
    options = Options(kernel=folder, out=Path(out) if out else None, progress=lambda text: say(local(lang, text)))
    return run(command, timeout=timeout, options=options)
