"""What passes between ``tour --ssh`` and ``tour agent`` at the other end, besides commands and events.

Lines that begin with ``#``, which no command and no event does. From the far side, first ``#tour {...}`` with what
it is; then for each agent ``#started N``, its events, and ``#ended N "why"``. To it: ``#start N``, commands,
``#stop``. One connection serves many agents, one at a time, so that nobody is asked for a password twice.
"""

from __future__ import annotations

import msgspec

from tour import __version__
from tour.trace.events import PROTOCOL, SCHEMA

NOISE_MAX = 65536
"""Bytes that a login shell over there may print before ``#tour``."""


class Greeting(msgspec.Struct, frozen=True):
    """What the far side is: its version, and those of the commands and of the events it speaks."""

    version: str
    protocol: int
    schema: int

    @property
    def compatible(self) -> bool:
        """Whether we understand each other."""
        return (self.protocol, self.schema) == (PROTOCOL, SCHEMA)


OURS = Greeting(__version__, PROTOCOL, SCHEMA)


def line(word: str, *fields: object) -> bytes:
    """``#word field field`` with each field as JSON."""
    return b" ".join((b"#" + word.encode(), *map(msgspec.json.encode, fields))) + b"\n"


def parse(text: bytes) -> tuple[str, bytes]:
    """(word, rest) of a line without its newline; word is '' for a command or an event."""
    if not text.startswith(b"#"):
        return "", text
    word, _, rest = text[1:].partition(b" ")
    return word.decode(errors="replace"), rest
