"""A class of any size, made from the exercises' own solutions and from hostile hands, with the truth about each.

Right ones are reference solutions and alternatives, wrong ones those shipped with the exercises (judged in this
process for their truth: no jail, no grader in between) and starts, hostile ones what students should never hand in.
``python -m tests.classroom.crowd FOLDER COUNT`` makes one to look at.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Literal, NamedTuple

from tour.judge.run import known
from tour.lesson.exercise import Exercise, exercises, load_exercise, variants

Kind = Literal["right", "wrong", "hostile"]
SHARES: tuple[Kind, ...] = ("right", "wrong", "wrong", "hostile", "right", "wrong")


class Truth(NamedTuple):
    """What the marks must be: of each check whether it passes, None where it cannot be run."""

    exercise: str
    kind: Kind
    name: str
    checks: dict[str, bool | None]
    score: int


class Maker(NamedTuple):
    """One way to hand in something: ``put`` writes it into a student's folder."""

    name: str
    put: Callable[[Path, str], None]


def crowd(place: Path, count: int, seed: int) -> dict[str, Truth]:
    """``count`` students' folders below ``place``, and the truth about each, for grading with ``seed``."""
    chance = random.Random(seed)
    each = {kind: _shuffled(kind, chance) for kind in set(SHARES)}
    truths = {}
    for at, kind in enumerate(islice(cycle(SHARES), count)):
        student = f"s{at:04d}"
        exercise, name, put = next(each[kind])
        (place / student).mkdir(parents=True)
        put(place / student / exercise.file, f"# handed in by {student}\n")
        checks = _truth(exercise.folder, kind, name, seed)
        score = sum(check.points for check in exercise.check if checks[check.id])
        truths[student] = Truth(exercise.name, kind, name, checks, score)
    return truths


def _shuffled(kind: Kind, chance: random.Random) -> Iterator[tuple[Exercise, str, Callable[[Path, str], None]]]:
    """Every way of that kind again and again, each round in another order: right and wrong ones in every exercise,
    hostile ones each in some exercise."""
    every = [[(exercise, *way) for way in _ways(exercise, kind)] for exercise in exercises()]
    while True:
        ways = [chance.choice(column) for column in zip(*every, strict=True)] if kind == "hostile" else sum(every, [])
        chance.shuffle(ways)
        yield from ways


def _ways(exercise: Exercise, kind: Kind) -> list[Maker]:
    if kind == "hostile":
        return HOSTILE + [Maker(name, _writer(_called(exercise, body))) for name, body in CALLED.items()]
    sources = _sources(exercise.folder, kind)
    return [Maker(name, _writer(source)) for name, source in sources.items()]


def _writer(source: str) -> Callable[[Path, str], None]:
    return lambda path, head: path.write_text(head + source) and None


def _called(exercise: Exercise, body: str) -> str:
    return "".join(f"def {name}(*args):\n    {body}\n\n\n" for name in exercise.functions)


@cache
def _sources(folder: str, kind: Kind) -> dict[str, str]:
    exercise = load_exercise(Path(folder))
    if kind == "right":
        others = {one.name: one.source for one in variants(exercise, "alternatives")}
        return {"solution": exercise.solution(), "noisy": exercise.solution() + NOISE} | others
    start = {"start": exercise.path("start.py").read_text("utf-8")} if exercise.kind == "mend" else {}
    return start | {one.name: one.source for one in variants(exercise, "wrong")}


@cache
def _truth(folder: str, kind: Kind, name: str, seed: int) -> dict[str, bool | None]:
    exercise = load_exercise(Path(folder))
    told: dict[str, bool | None] = {}
    for check in exercise.check:
        if kind == "right":
            told[check.id] = True
        elif kind == "hostile" and name in REFUSED:
            told[check.id] = False
        elif not all(told[needed] for needed in check.needs):
            told[check.id] = None
        elif kind == "hostile":
            told[check.id] = False
        else:
            told[check.id] = known(exercise, check.id, _sources(folder, kind)[name], seed).cause is None
    return told


# -- hostile hands: none of these gets a point ------------------------------------------------------------

CODE = {
    "no syntax": "def (:\n",
    "empty": "",
    "exit at once": "import os\nos._exit(0)\n",
    "exit by exception": "raise SystemExit(0)\n",
    "kill everybody": "import os\nos.kill(-1, 9)\n",
    "fork bomb": "import os\nwhile True:\n    os.fork()\n",
    "memory hog": "hog = []\nwhile True:\n    hog.append(bytearray(1 << 24))\n",
    "thread crowd": "from threading import Thread\nfrom time import sleep\nwhile True:\n"
                    "    Thread(target=sleep, args=(99,)).start()\n",
    "deep": "def f():\n    f()\nimport sys\nsys.setrecursionlimit(10**9)\nf()\n",
    "endless": "while True:\n    pass\n",
    "asleep": "import signal\nsignal.pause()\n",
    "much said": "import sys\nwhile True:\n    sys.stdout.write('x' * 65536)\n",
    "forged answer": "import os\nfor fd in range(64):\n    try:\n        os.write(fd, b'\\xff' * 4096)\n"
                     "    except OSError:\n        pass\nos._exit(0)\n",
    "forged verdict": "print('{\"exercise\": \"publish\", \"checks\": []}', flush=True)\nraise SystemExit\n",
    "patched library": "import tour.judge.harness as h\nh.plain = lambda value: True\n"
                       "h.Student.answer = lambda self, asked: {'done': True}\n",
    "stolen solution": "import pathlib, sys\nfor place in ['/work', '/', *sys.path]:\n"
                       "    for path in pathlib.Path(place).glob('*exercises/*/solution.py'):\n"
                       "        exec(path.read_text())\nraise SystemExit\n",
    "stolen secrets": "print(open('/etc/shadow').read())\n",
    "big file": "with open('/tmp/big', 'wb') as f:\n    while True:\n        f.write(bytes(1 << 20))\n",
    "shell": "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'id'])\nraise SystemExit\n",
    "net": "import socket\nsocket.create_connection(('127.0.0.1', 22), 1)\nraise SystemExit\n",
    "crash": "import ctypes\nctypes.string_at(0)\n",
    "closed": "import os\nos.closerange(0, 64)\n",
}  # fmt: skip
"""What is in a hostile file. None defines the functions that are asked for, so nothing of it may pass."""

CALLED = {
    "endless when called": "while True:\n        pass",
    "gone when called": "import os\n    os._exit(0)",
    "full when called": "return [bytes(1 << 20)] * (1 << 14)",
    "asking for ever": "for one in args:\n        while hasattr(one, 'load_used_flags'):\n"
                       "            one.load_used_flags()\n    while True:\n        pass",
    "grasping": "for one in args:\n        one._student, one.__class__, one.__dict__\n    raise SystemExit",
}  # fmt: skip
"""What the functions asked for do in a file that loads well."""
NOISE = "\nimport sys\nsys.stdout.write('x' * (1 << 20))\nsys.stderr.write('y' * (1 << 20))\n"
"""A right solution that says much is still right."""


def _link(path: Path, head: str) -> None:
    path.symlink_to("/etc/passwd")


def _graders(path: Path, head: str) -> None:
    solution = next(one for one in exercises() if one.file == path.name).path("solution.py")
    path.symlink_to(solution)


def _pipe(path: Path, head: str) -> None:
    os.mkfifo(path)


def _huge(path: Path, head: str) -> None:
    with path.open("wb") as file:
        file.truncate(2 << 30)


def _no_text(path: Path, head: str) -> None:
    path.write_bytes(head.encode() + b"\xff\xfe\0")


FILES = [Maker("link", _link), Maker("link to the graders", _graders), Maker("pipe", _pipe), Maker("huge", _huge)]
REFUSED = {"link", "link to the graders", "pipe", "huge", "no text"}
HOSTILE = [
    *(Maker(name, _writer(source)) for name, source in CODE.items()), *FILES, Maker("no text", _no_text)
]  # fmt: skip


if __name__ == "__main__":
    for who, what in crowd(Path(sys.argv[1]), int(sys.argv[2]), 1).items():
        print(who, what.exercise, what.kind, what.name, what.score)
