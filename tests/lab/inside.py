"""What one boot of a lab runs: ``python -m tests.lab.inside FOLDER [forks] [zh]``. What it learns goes into FOLDER.

``forks`` and ``zh`` add what is asked of one kernel only: every fork of every lesson and a run under strace; every
lesson told in Chinese too (which changes nothing of what is done).
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


def main(folder: Path, more: list[str]) -> int:
    """Contract suite, all lessons run and recorded, and what ``more`` names; each part's exit code and seconds."""
    parts = {"contract": [*CONTRACT, f"{folder}/contract.json"]}
    parts["run_en"] = [*TOUR, "record", "all", "-o", str(folder), "--device", "kernel", "--lang", "en"]
    if "zh" in more:
        parts["run_zh"] = [*TOUR, "run", "all", "--plain", "--device", "kernel", "--lang", "zh"]
    if "forks" in more:
        parts["forks"] = [sys.executable, "-m", __spec__.name, str(folder), "only-forks"]
        straced = [*TOUR, "record", "8", "-o", f"{folder}/straced.jsonl", "--device", "kernel"]
        parts["strace"] = ["strace", "-f", "-e", "trace=ioctl", "-o", f"{folder}/strace.txt", *straced]
    for name, command in parts.items():
        begun = time.monotonic()
        with open(folder / f"{name}.out", "wb") as out:
            code = subprocess.run(command, stdout=out, stderr=out, check=False).returncode
        with open(folder / "parts.txt", "a") as told:
            print(name, code, f"{time.monotonic() - begun:.1f}", file=told)
    return 0


def record(folder: Path, lesson: str, vary: str, device: str) -> Path:
    """Run a lesson, or a fork of it, to its end, and keep it; returns where."""
    output = recording(folder, lesson, vary)
    play(load(lesson), RunOptions(lesson, Where(device), "en", quiet=True, vary=vary, output=str(output)))
    return output


def recording(folder: Path, lesson: str, vary: str = "") -> Path:
    """Where the recording of a lesson, or of a fork of it, is kept."""
    return folder / (f"{lesson}-{vary}.jsonl" if vary else f"{lesson}.jsonl")


def forks() -> list[tuple[str, str]]:
    """Every fork of every lesson that is ready."""
    return [(entry.id, vary.id) for entry in course().ready for vary in load(entry.id).vary]


if __name__ == "__main__":
    where, *what = sys.argv[1:]
    if what == ["only-forks"]:
        for name, fork in forks():
            record(Path(where), name, fork, "kernel")
        sys.exit(0)
    sys.exit(main(Path(where), what))
