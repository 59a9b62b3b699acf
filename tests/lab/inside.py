"""What one boot of a lab runs: ``python -m tests.lab.inside FOLDER``. Everything it learns goes into FOLDER."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

LESSONS = ("0", "8")
FORKS = ("size2", "wrap", "forget_kick")
TOUR = [sys.executable, "-m", "tour.cli"]


def main(folder: Path) -> int:
    """Contract suite, lessons, forks, and a run under strace; each part's exit code and seconds are told."""
    parts = {
        "contract": [sys.executable, "-m", "tour.testing", "--device", "kernel", "--record", f"{folder}/contract.json"]
    }
    for lesson in LESSONS:
        parts[f"lesson{lesson}"] = [*TOUR, "record", lesson, "-o", f"{folder}/{lesson}.jsonl", "--device", "kernel"]
    for fork in FORKS:
        output = f"{folder}/{fork}.jsonl"
        parts[fork] = [*TOUR, "record", "8", "-o", output, "--device", "kernel", "--vary", fork]
    straced = [*TOUR, "record", "8", "-o", f"{folder}/straced.jsonl", "--device", "kernel"]
    parts["strace"] = ["strace", "-f", "-e", "trace=ioctl", "-o", f"{folder}/strace.txt", *straced]
    parts["plain"] = [*TOUR, "run", "8", "--plain", "--device", "kernel"]
    lines = []
    for name, command in parts.items():
        begun = time.monotonic()
        with open(folder / f"{name}.out", "wb") as out:
            code = subprocess.run(command, stdout=out, stderr=out, check=False).returncode
        lines.append(f"{name} {code} {time.monotonic() - begun:.1f}")
        print(lines[-1], flush=True)
    (folder / "parts.txt").write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
