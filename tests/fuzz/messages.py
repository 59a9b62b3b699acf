"""A coverage-guided fuzzer for vhost-user messages: ``python -m tests.fuzz.messages [SECONDS [FOLDER]]``.

It keeps inputs that reach a step of the code (from one line to the next) that none before reached. FOLDER (left out:
nothing is kept) is read and added to; ``--minimise`` writes back only what the coverage needs. What goes wrong is
printed with its input, and ends the run with exit code 1.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.front_end import KINDS, SIZE, Descriptors, Gear, Step, wrong
from tour.abi.vhost_user import ADDR, NEED_REPLY, PROTOCOL_FEATURES_BIT, Request
from tour.scene.ports import NullPorts
from tour.testing.hostile.catalogue import Violation, catalogue

CORPUS = Path(__file__).parent / "corpus" / "messages"
WATCHED = (
    "tour/device/vhost_user/",
    "tour/device/embedded/",
    "tour/device/contract",
    "tour/memory/",
    "tour/virtqueue/",
)
Steps = set[tuple[CodeType, int, int]]

ALIAS = {"eventfd": "bell", "zero": "null", "read-only": "read_only"}
"""Descriptors of the catalogue that have another name here."""
GEARS: tuple[Gear, ...] = ("engine", *("still",) * 7, "python", *("still",) * 7)
"""What turns the rings of the inputs, one after the other."""
R = Request
FLAGS = 1 | NEED_REPLY
ALL = (1 << 32) | (1 << PROTOCOL_FEATURES_BIT)
NUMBERS = (
    *range(9), 16, 255, 256, 257, 0x1000, 0x1800, 0x2000, 0x4000, 0x8000, 0x10000, SIZE, SIZE - 16, 32768, 65535, 65536,
    0x7FFFFFFF, 0xFFFFFFFF, 1 << 63, (1 << 64) - 0x1000, (1 << 64) - 16, (1 << 64) - 1, ALL, ALL | 1 << 26,
    ALL | 1 << 29, ALL | 1 << 28, ALL | 1 << 15, 0x202B,
)  # fmt: skip
LAYOUTS = {
    R.VHOST_USER_SET_MEM_TABLE: "IIQQQQ", R.VHOST_USER_SET_VRING_ADDR: ADDR.format[1:], R.VHOST_USER_SET_LOG_BASE: "QQ",
    R.VHOST_USER_SET_VRING_NUM: "II", R.VHOST_USER_SET_VRING_BASE: "II", R.VHOST_USER_GET_VRING_BASE: "II",
    R.VHOST_USER_SET_VRING_ENABLE: "II", R.VHOST_USER_SET_VRING_KICK: "Q", R.VHOST_USER_SET_VRING_CALL: "Q",
    R.VHOST_USER_SET_VRING_ERR: "Q", R.VHOST_USER_SET_FEATURES: "Q", R.VHOST_USER_SET_PROTOCOL_FEATURES: "Q",
}  # fmt: skip


def say(request: Request, *numbers: int, fds: tuple[str, ...] = ()) -> Step:
    """A message as it should be."""
    return ["say", int(request), FLAGS, LAYOUTS.get(request, ""), list(numbers), list(fds)]


def session(index: int, features: int = ALL) -> list[Step]:
    """A front end as it should be: ring ``index`` runs, and has a packet to send or room for one."""
    write = 2 if index == 0 else 0
    return [
        say(R.VHOST_USER_SET_PROTOCOL_FEATURES, 0x202B), say(R.VHOST_USER_SET_OWNER),
        say(R.VHOST_USER_SET_FEATURES, features),
        say(R.VHOST_USER_SET_MEM_TABLE, 1, 0, 0, SIZE, 0, 0, fds=("memory",)),
        say(R.VHOST_USER_SET_LOG_BASE, 0x1000, 0, fds=("memory",)), say(R.VHOST_USER_SET_LOG_FD, fds=("bell",)),
        say(R.VHOST_USER_SET_VRING_NUM, index, 8), say(R.VHOST_USER_SET_VRING_BASE, index, 0),
        say(R.VHOST_USER_SET_VRING_ADDR, index, 1, 0x2000, 0x4000, 0x3000, 0x4000),
        say(R.VHOST_USER_SET_VRING_CALL, index, fds=("bell",)), say(R.VHOST_USER_SET_VRING_ERR, index, fds=("bell",)),
        say(R.VHOST_USER_SET_VRING_KICK, index, fds=("kick",)), say(R.VHOST_USER_SET_VRING_ENABLE, index, 1),
        ["poke", 0x2000, 0x8000], ["poke", 0x2008, 72 | write << 32], ["poke", 0x3000, 1 << 16], ["kick"],
        say(R.VHOST_USER_GET_VRING_BASE, index, 0),
    ]  # fmt: skip


def seeds() -> list[list[Step]]:
    """What to begin with."""
    asked = [say(request) for request in R]
    good = [session(1), session(0), session(1, ALL | 1 << 26 | 1 << 29), asked]
    return [*good, *(_named(entry) for entry in catalogue() if entry.kind == "message"), *_odd()]


def _named(entry: Violation) -> list[Step]:
    """A violation of the catalogue, as steps."""
    how = entry.how
    if "raw" in how:
        return [["bytes", how["raw"]]]
    request = how["request"] if isinstance(how["request"], int) else Request[how["request"]].value
    numbers = [number if isinstance(number, int) else int(number, 0) for number in how.get("numbers", [])]
    kinds = [ALIAS.get(kind, kind) for kind in how.get("fds", [])]
    begun = session(1)[:2] if how.get("negotiated", True) else []
    return [*begun, ["say", request, FLAGS, how.get("layout", "=")[1:], numbers, kinds]]


def _odd() -> list[list[Step]]:
    """A ring outside memory; one told anew while it runs, moved away, its file cut; a log too small; no kick."""
    whole, far = session(1), say(R.VHOST_USER_SET_MEM_TABLE, 1, 0, 1 << 40, SIZE, 0, 0, fds=("memory",))
    outside = say(R.VHOST_USER_SET_VRING_ADDR, 1, 0, SIZE, 0x4000, 0x3000, 0)
    other = say(R.VHOST_USER_SET_MEM_TABLE, 1, 0, 0, 0x1000, 1 << 40, 0, fds=("memory",))
    return [
        [*whole[:7], outside], [*whole[:-1], say(R.VHOST_USER_SET_VRING_NUM, 1, 16)], [*whole[:-1], other, *whole[5:]],
        [*whole[:-1], ["shrink", 0], ["kick"], *whole[-1:]], [*whole[:3], ["shrink", 0], *whole[3:]],
        [*whole[:2], far, whole[4]], [*whole[:-1], say(R.VHOST_USER_SET_VRING_KICK, 1 | 256), *whole[-1:]],
        [*whole[:11], ["shrink", 0], *whole[11:]],
    ]  # fmt: skip


# -- changing -----------------------------------------------------------------------------------------------


def _number(dice: random.Random, was: int) -> int:
    how = dice.randrange(4)
    if how == 0:
        return was + dice.choice((-16, -1, 1, 16, 0x1000))
    return was ^ 1 << dice.randrange(64) if how == 1 else dice.choice(NUMBERS)


def _any(dice: random.Random) -> Step:
    request = dice.choice([*R])
    layout = LAYOUTS.get(request, dice.choice(("", "", "Q", "II", "I")))
    if request == R.VHOST_USER_SET_MEM_TABLE:
        layout += "QQQQ" * dice.randrange(3)
    kinds = [dice.choice(KINDS) for _ in range(dice.choice((0, 1, 1, 2)))]
    return ["say", int(request), FLAGS, layout, [dice.choice(NUMBERS) for _ in layout], kinds]


def _alter(dice: random.Random, step: Step) -> Step:
    """Another step much like this one."""
    step = json.loads(json.dumps(step))
    if step[0] == "say":
        if step[4] and dice.random() < 0.6:
            at = dice.randrange(len(step[4]))
            step[4][at] = _number(dice, step[4][at])
        elif dice.random() < 0.4:
            step[5] = [dice.choice(KINDS) for _ in range(dice.choice((0, 1, 2, 9)))]
        else:
            step[dice.choice((1, 2))] = dice.choice((0, 1, 3, 5, 9, dice.randrange(48)))
    elif step[0] == "poke":
        step[dice.choice((1, 2))] = _number(dice, step[dice.choice((1, 2))])
    elif step[0] == "shrink":
        step[1] = dice.choice(NUMBERS)
    elif step[0] == "bytes":
        step[1] = dice.randbytes(dice.randrange(1, 40)).hex()
    return step


def _new(dice: random.Random) -> Step:
    how = dice.randrange(8)
    if how == 0:
        return ["poke", 0x2000 + 8 * dice.randrange(16), dice.choice(NUMBERS)]
    if how == 1:
        return ["poke", dice.choice((0x3000, 0x3004, 0x8000, 0x4000)), dice.choice(NUMBERS) << 16]
    if how == 2:
        return ["kick"]
    if how == 3:
        return dice.choice((["shrink", dice.choice(NUMBERS)], ["bytes", dice.randbytes(dice.randrange(1, 40)).hex()]))
    return _any(dice)


def change(dice: random.Random, kept: list[list[Step]]) -> list[Step]:
    """An input from one or two that were kept."""
    steps = list(dice.choice(kept))
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(steps) + 1)
        how = dice.randrange(5)
        if how == 0 and steps:
            del steps[at - 1]
        elif how == 1:
            steps.insert(at, _new(dice))
        elif how == 2:
            other = dice.choice(kept)
            steps = steps[:at] + other[dice.randrange(len(other) + 1) :]
        elif steps:
            steps[at - 1] = _alter(dice, steps[at - 1])
    return steps[:60]


# -- watching -----------------------------------------------------------------------------------------------


class Watch:
    """Which steps from line to line the code takes, in this thread; ``seen`` are all so far."""

    def __init__(self) -> None:
        self.seen: Steps = set()
        self._now: Steps = set()

    def new(self, run: Callable[[], None]) -> int:
        """Run; how many steps were taken that none before took."""
        self._now = set()
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            run()
        finally:
            sys.settrace(before)
        fresh = self._now - self.seen
        self.seen |= fresh
        return len(fresh)

    def _enter(self, frame: FrameType, what: str, value: Any) -> Any:
        code = frame.f_code
        if not any(part in code.co_filename for part in WATCHED):
            return None
        last, now = 0, self._now

        def line(frame: FrameType, what: str, value: Any) -> Any:
            nonlocal last
            now.add((code, last, frame.f_lineno))
            last = frame.f_lineno
            return line

        return line


class Fuzzer:
    """Keeps what is new. ``say`` gets what went wrong, with the input."""

    def __init__(self, seed: int = 0) -> None:
        self.have, self.ports = Descriptors(), NullPorts(1)
        self.watch, self.dice = Watch(), random.Random(seed)
        self.kept: list[list[Step]] = []
        self.runs = 0
        self.found: list[tuple[list[str], list[Step]]] = []

    def feed(self, steps: list[Step]) -> bool:
        """Do one input; whether it was kept."""
        gear = GEARS[self.runs % len(GEARS)]
        self.runs += 1
        problems: list[str] = []

        def run() -> None:
            try:
                problems.extend(wrong(self.have, self.ports, steps, gear))
            except Exception as error:  # noqa: BLE001 - whatever it is, it was found
                problems.append(repr(error))

        new = self.watch.new(run)
        if problems:
            self.found.append((problems, steps))
        if new:
            self.kept.append(steps)
        return bool(new)

    def hunt(self, seconds: float, keep: Callable[[list[Step]], None] = lambda steps: None) -> None:
        """Feed changed inputs until the time is up or something is found."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.found:
            steps = change(self.dice, self.kept)
            if self.feed(steps):
                keep(steps)

    def close(self) -> None:
        """Let go of everything."""
        self.ports.close()
        self.have.close()


def load(folder: Path) -> list[list[Step]]:
    """The inputs in ``folder``, shortest first."""
    return sorted((json.loads(path.read_text()) for path in folder.glob("*.json")), key=lambda one: len(str(one)))


def save(folder: Path, steps: list[Step]) -> None:
    """Write one input, under a name made of its bytes."""
    text = json.dumps(steps)
    (folder / f"{hashlib.sha1(text.encode()).hexdigest()[:12]}.json").write_text(text + "\n")


def main(words: list[str]) -> int:
    """See the module."""
    minimise = "--minimise" in words
    words = [word for word in words if word != "--minimise"]
    folder = Path(words[1]) if len(words) > 1 else None
    fuzzer = Fuzzer(random.SystemRandom().randrange(1 << 32))
    for steps in [*(load(folder) if folder and folder.is_dir() else []), *load(CORPUS), *seeds()]:
        fuzzer.feed(steps)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    if minimise and folder:
        for path in folder.glob("*.json"):
            path.unlink()
        for steps in fuzzer.kept:
            save(folder, steps)
    began = fuzzer.runs
    fuzzer.hunt(float(words[0]) if words else 60.0, lambda steps: save(folder, steps) if folder else None)
    for problems, steps in fuzzer.found:
        print("FOUND", "; ".join(problems), json.dumps(steps))
    print(f"{fuzzer.runs - began} runs, {len(fuzzer.kept)} inputs kept, {len(fuzzer.watch.seen)} steps covered")
    fuzzer.close()
    return 1 if fuzzer.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
