"""A judge that looks for a word in the submission instead of running it: the protocol, and every way to break it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tour.lesson.exercise import find

LAYERS = ["user", "net", "seccomp"]


def main() -> None:
    if os.environ.get("FAKE_JUDGE") == "stillborn":
        print("no luck", file=sys.stderr)
        sys.exit(9)
    if os.environ.get("FAKE_JUDGE") == "incapable":
        told = {"what": "There are no namespaces here.", "why": "", "fix": "tour doctor", "exit_code": 3}
        tell({"error": told})
        return
    tell({"ready": True, "layers": LAYERS, "isolation": "full"})
    for line in sys.stdin:
        asked = json.loads(line)
        (file,) = Path(asked["folder"]).iterdir()
        source = file.read_text("utf-8", "replace")
        note(source)
        tell(verdict(asked, source))


def note(source: str) -> None:
    """Leave word of what was judged, then do as the submission says."""
    if place := os.environ.get("FAKE_JUDGE_LOG"):
        with open(place, "a") as file:
            file.write(source.splitlines()[0] + "\n")
    if "die always" in source or ("die once" in source and first_time(source)):
        os.kill(os.getpid(), signal.SIGKILL)
    if "say nonsense" in source:
        print("nonsense", flush=True)
    if "hang" in source:
        time.sleep(1000)
    if "defect" in source:
        tell({"error": {"what": "A defect in /home/teacher/checks.py.", "exit_code": 4}})
        time.sleep(1000)
    if "slowly" in source:
        time.sleep(0.05)


def first_time(source: str) -> bool:
    mark = Path(os.environ["FAKE_JUDGE_LOG"]).with_name(source.split()[1] + ".mark")
    new = not mark.exists()
    mark.touch()
    return new


def verdict(asked: dict[str, Any], source: str) -> dict[str, Any]:
    exercise = find(asked["exercise"])
    checks = []
    for check in exercise.check:
        broken = f"wrong {check.id}" in source
        told: dict[str, Any] = {"id": check.id, "passed": not broken, "score": 0 if broken else check.points}
        told |= {"max_score": check.points, "hidden": check.hidden, "found": ["x" * 100], "wanted": ["y" * 100]}
        if broken:
            detail = {"kind": "raised", "detail": "ValueError: " + source.partition("says ")[2]}
            told |= {"cause": detail if "says " in source else {"kind": "differs", "field": "avail.idx",
                     "expected": "5", "found": "4", "line": 12}, "mistake": "off_by_one",
                     "say": {"en": "It counts one too few.", "zh": "少数了一个。"},
                     "misconception": "kick-carries-data"}  # fmt: skip
        if f"time out {check.id}" in source:
            told |= {"passed": False, "score": 0, "cause": {"kind": "timed-out"}}
        if f"skip {check.id}" in source:
            told |= {"passed": None, "score": 0, "cause": {"kind": "skipped", "field": "tun"}}
        checks.append(told)
    return {"exercise": exercise.name, "seed": asked["seed"], "isolation": "full", "layers": LAYERS, "checks": checks,
            "output": source, "seconds": 0.01}  # fmt: skip


def tell(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
