"""What one boot of a lab runs: ``python -m tests.lab.inside FOLDER [all]``. Everything it learns goes into FOLDER.

``all`` adds what is asked of one kernel only: every fork of every lesson, and a run under strace.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tour.cli.options import Where
from tour.cli.run import RunOptions, play
from tour.lesson.course import course
from tour.lesson.model import load

TOUR = [sys.executable, "-m", "tour.cli"]
CONTRACT = [sys.executable, "-m", "tour.testing", "--device", "kernel", "--record"]
LANGS = ("en", "zh")


def main(folder: Path, everything: bool) -> int:
    """Contract suite, all lessons told in both languages and recorded; each part's exit code and seconds are told."""
    parts = {"contract": [*CONTRACT, f"{folder}/contract.json"]}
    for lang in LANGS:
        parts[f"run_{lang}"] = [*TOUR, "run", "all", "--plain", "--device", "kernel", "--lang", lang]
    parts["recordings"] = [sys.executable, "-m", __spec__.name, str(folder), "record"]
    if everything:
        parts["forks"] = [sys.executable, "-m", __spec__.name, str(folder), "forks"]
        straced = [*TOUR, "record", "8", "-o", f"{folder}/straced.jsonl", "--device", "kernel"]
        parts["strace"] = ["strace", "-f", "-e", "trace=ioctl", "-o", f"{folder}/strace.txt", *straced]
    for name, command in parts.items():
        begun = time.monotonic()
        with open(folder / f"{name}.out", "wb") as out:
            code = subprocess.run(command, stdout=out, stderr=out, check=False).returncode
        with open(folder / "parts.txt", "a") as told:
            print(name, code, f"{time.monotonic() - begun:.1f}", file=told)
    return 0


def record(folder: Path, forks: bool) -> int:
    """Record every lesson that is ready, or every fork of them; returns how many checks did not hold outside forks."""
    bad = 0
    for entry in course().ready:
        lesson = load(entry.id)
        for vary in [each.id for each in lesson.vary] if forks else [""]:
            output = str(recording(folder, entry.id, vary))
            options = RunOptions(entry.id, Where("kernel"), "en", quiet=True, vary=vary, output=output)
            found = play(lesson, options)
            bad += 0 if vary else found.bad
    return bad


def recording(folder: Path, lesson: str, vary: str = "") -> Path:
    """Where the recording of a lesson, or of a fork of it, is kept."""
    return folder / f"{lesson}-{vary}.jsonl"


if __name__ == "__main__":
    where, *what = sys.argv[1:]
    if what in (["record"], ["forks"]):
        sys.exit(record(Path(where), what == ["forks"]))
    sys.exit(main(Path(where), what == ["all"]))
