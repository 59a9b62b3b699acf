"""The sandbox's language: one line, one order. What verbs there are, what each may be given, and how a line is read.

Reading needs no Linux: front ends check and complete a line with this before an agent is told.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tour.errors import UsageError

Side = Literal["driver", "device", "doorbell", "memory", "control"]
SIDES: tuple[Side, ...] = ("driver", "device", "doorbell", "memory", "control")
QUEUES = ("rx", "tx")
"""By number, as vhost-net has them: 0 receives, 1 transmits."""
FAULTS_DRIVER = (
    "kick-equality", "kick-barrier", "kick-flags", "stale-used-event", "publish-first", "idx-modulo", "free-early",
)  # fmt: skip
FAULTS_DEVICE = (
    "call-equality", "call-barrier", "call-flags", "stale-avail-event", "no-second-look", "flush-first",
)  # fmt: skip
FAULTS = (*FAULTS_DRIVER, *FAULTS_DEVICE)
_NUMBER = re.compile(r"-1|0x[0-9a-f]{1,16}|[0-9]{1,19}")
_FIELD = re.compile(r"[a-z0-9_.\[\]]{1,40}")


class Param(msgspec.Struct, frozen=True):
    """One word of an order: ``one_of`` what may stand there, empty for a number (decimal or 0x) or, with ``text``, for
    anything. ``default`` is taken when the word is left out; None: it may not be."""

    name: str
    one_of: tuple[str, ...] = ()
    default: str | None = None
    text: bool = False

    @property
    def usage(self) -> str:
        """As help writes it: ``[tx|rx]``, ``NUMBER``."""
        words = "|".join(self.one_of) if self.one_of and len(self.one_of) < len(FAULTS_DEVICE) else self.name.upper()
        return words if self.default is None else f"[{words}]"


class Verb(msgspec.Struct, frozen=True):
    """A verb: who does it, and what may follow it. ``show`` is the panel to look at."""

    name: str
    side: Side
    params: tuple[Param, ...] = ()
    show: str = ""

    @property
    def usage(self) -> str:
        """The verb and what may follow."""
        return " ".join((self.name, *(param.usage for param in self.params)))


class Order(msgspec.Struct, frozen=True):
    """A line that was understood: ``words`` by parameter name, each as it was typed or its default."""

    verb: str
    words: dict[str, str] = {}

    def number(self, name: str) -> int:
        """That word as a number."""
        return int(self.words[name], 0)

    @property
    def queue(self) -> int:
        """The queue's number; the transmit queue where none was named."""
        return QUEUES.index(self.words.get("queue", "tx"))


_QUEUE = Param("queue", ("tx", "rx"), "tx")
_ON = Param("switch", ("on", "off"), "on")
_HOW = Param("how", ("drop", "twice", "late", "normal"))

VERBS: tuple[Verb, ...] = (
    Verb("write", "driver", (Param("what", ("arp", "ping", "data"), "arp"), Param("bytes", (), "64")), "packet"),
    Verb("describe", "driver", (_QUEUE, Param("gpa", (), "0"), Param("len", (), "0"))),
    Verb("entry", "driver", (_QUEUE,)),
    Verb("publish", "driver", (_QUEUE,)),
    Verb("kick", "driver", (_QUEUE, Param("when", ("asked", "always"), "asked"))),
    Verb("calls", "driver", (_QUEUE, _ON)),
    Verb("listen", "driver", (_QUEUE,)),
    Verb("reap", "driver", (_QUEUE,)),
    Verb("burst", "driver", (Param("count"),)),
    Verb("take", "device", (_QUEUE,)),
    Verb("pop", "device", (_QUEUE,)),
    Verb("map", "device", (_QUEUE,)),
    Verb("send", "device", (), "packet"),
    Verb("receive", "device", (), "packet"),
    Verb("fill", "device", (_QUEUE, Param("len", (), "-1"))),
    Verb("flush", "device", (_QUEUE,)),
    Verb("call", "device", (_QUEUE, Param("when", ("asked", "always"), "asked"))),
    Verb("kicks", "device", (_QUEUE, _ON)),
    Verb("give", "device", (_QUEUE,)),
    Verb("doorbell", "doorbell", (Param("bell", ("kick", "call")), _HOW, _QUEUE)),
    Verb("deliver", "doorbell", (Param("bell", ("kick", "call")), _QUEUE)),
    Verb("poke", "memory", (Param("field", text=True), Param("value"), _QUEUE)),
    Verb("peek", "memory", (Param("field", text=True), _QUEUE)),
    Verb("fault", "memory", (Param("fault", FAULTS), _ON)),
    Verb("detach", "control", (_QUEUE,)),
    Verb("base", "control", (Param("idx"), _QUEUE)),
    Verb("attach", "control", (_QUEUE,)),
    Verb("look", "control", ()),
)
"""Every verb, in the order in which help lists them."""
BY_NAME = {verb.name: verb for verb in VERBS}
ALIASES = {"fill-used": "fill", "add": "entry", "drain": "listen", "notify": "kick", "wait": "look"}


def read(line: str) -> Order:
    """The order in a line. Words of a set may come in any order; numbers come in theirs. Raises UsageError that says
    what may stand there."""
    typed = line.lower().split()
    if not typed:
        raise UsageError("Nothing was typed.", f"There are: {', '.join(BY_NAME)}.")
    name = ALIASES.get(typed[0], typed[0])
    verb = BY_NAME.get(name)
    if verb is None:
        raise UsageError(f"There is no verb '{typed[0]}'.", f"There are: {', '.join(BY_NAME)}.")
    words: dict[str, str] = {}
    for word in typed[1:]:
        param = _place(verb, word, words)
        if param is None:
            raise UsageError(f"'{word}' does not fit there.", f"It is written: {verb.usage}")
        words[param.name] = word
    for param in verb.params:
        if param.name not in words and param.default is None:
            raise UsageError(f"A word is missing: {param.usage}.", f"It is written: {verb.usage}")
    return Order(name, {param.name: words.get(param.name, param.default or "") for param in verb.params})


def _place(verb: Verb, word: str, taken: dict[str, str]) -> Param | None:
    """The parameter that ``word`` is: one whose set has it, else the next free one that takes it."""
    free = [param for param in verb.params if param.name not in taken]
    named = next((param for param in free if word in param.one_of), None)
    if named is not None:
        return named
    return next(
        (param for param in free if not param.one_of and (_FIELD if param.text else _NUMBER).fullmatch(word)), None
    )


def completions(line: str) -> list[str]:
    """What the last word of ``line`` may become; all verbs for an empty line."""
    *before, last = line.lower().split(" ") or [""]
    if not before:
        return [verb.name for verb in VERBS if verb.name.startswith(last)]
    verb = BY_NAME.get(ALIASES.get(before[0], before[0]))
    words = [word for param in (verb.params if verb else ()) for word in param.one_of]
    return [word for word in words if word.startswith(last) and word not in before[1:]]
