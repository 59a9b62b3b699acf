"""Running a piece of hostile code in a jail, and looking for what it left."""

from __future__ import annotations

from pathlib import Path

from tour.judge import users
from tour.judge.jail import Jail
from tour.judge.limits import MIB, Limits
from tour.judge.talk import Gone, Jailed, Raised, Talk

LIMITS = Limits(wall_seconds=2.0, cpu_seconds=4.0, memory=384 * MIB)
"""Memory that is filled in well below two seconds on a busy machine too."""
SECONDS = 2.0
NOBODY = 65534


def run(jail: Jail, code: str, place: str) -> str:
    """What ``code``, as the body of a function, comes to: 'done', an exception, or how the jail ended."""
    body = "\n".join(f"    {line}" for line in code.strip().splitlines())
    runner = Jailed(jail.stream, jail.ended)
    try:
        runner.load("attack.py", f"place = {place!r}\ndef attack():\n{body}\n", 5)
        runner.call(Talk(), "attack", [], SECONDS)
    except Raised as error:
        return f"{error.kind}: {error.text}"
    except Gone as gone:
        return gone.how
    return "done"


def leftovers() -> set[str]:
    """Processes that should not be there: harnesses, and those of the users we lend out."""
    found = set()
    for pid, uid in users.processes():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if uid in users.RANGE or (uid == NOBODY and b"tour.judge" in words):
            found.add(f"{pid} {uid} {words[:80]!r}")
    return found
