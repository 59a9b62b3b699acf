"""The real command as a subprocess, and what must hold of every one of its ends."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from tests.support import ROOT

TOUR = (sys.executable, "-m", "tour.cli")


def environment(**changes: str) -> dict[str, str]:
    """Ours, in English whatever the locale, without what would change the command's mind, never begun before."""
    kept = {key: value for key, value in os.environ.items() if key not in ("TOUR_REQUIRE", "NO_COLOR")}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    fresh = os.path.join(kept["VHOST_TOUR_STATE"], uuid.uuid4().hex)
    return {**kept, "VHOST_TOUR_LANG": "en", "TERM": "xterm", "PYTHONPATH": path, "VHOST_TOUR_STATE": fresh, **changes}


def tour(
    *words: str | Path,
    code: int = 0,
    argv: Sequence[str] = TOUR,
    typed: str | bytes = "",
    stdout: int | None = None,
    **env: str,
) -> tuple[str, str]:
    """Run it; checks the exit code and that nobody sees a traceback; returns what it told and what it said."""
    done = subprocess.run(
        [*argv, *map(str, words)],
        input=typed.encode() if isinstance(typed, str) else typed,
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        env=environment(**env),
        timeout=60,
        check=False,
    )
    told, said = (done.stdout or b"").decode(errors="replace"), done.stderr.decode(errors="replace")
    assert "Traceback" not in told + said, said
    assert "Exception ignored" not in said, said
    assert done.returncode == code, f"exit code {done.returncode}\n{said}\n{told[-2000:]}"
    return told, said
