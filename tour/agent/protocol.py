"""What a front end says to an agent: JSON lines, one command each. The answers are events (``trace.events``).

Every command is answered by events and, last, by ``Done`` with its id.
"""

from __future__ import annotations

import msgspec

from tour.trace import events as ev


class RingPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One queue at the point a fork starts from: its size, private indices, heads of chains not reaped, and the
    calls its driver has not read."""

    queue: int
    num: int
    last_avail_idx: int
    last_used_idx: int
    avail_shadow: int
    in_flight: list[int] = []
    calls: int = 0


class ForkPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """Memory and indices of a moment: ``image`` is (gpa, hexadecimal bytes) in order of writing; ``origin`` such
    as ``8:publish``."""

    origin: str
    image: list[tuple[int, str]]
    rings: list[RingPoint]


class Command(msgspec.Struct, frozen=True, tag_field="cmd", tag=str.lower, omit_defaults=True):
    """Base of all commands; ``id`` comes back in Done."""

    id: int


class Open(Command, frozen=True):
    """Build the running set-up of a lesson. ``num`` and ``base`` replace the lesson's ring size and first index;
    ``variant`` names the fork they come from. The steps before ``at`` are done at once, without marks. ``features``
    are bits to be negotiated besides the course's own."""

    lesson: str
    device: str = "auto"
    num: int = 0
    base: int = 0
    variant: str = ""
    at: str = ""
    fork: ForkPoint | None = None
    features: int = 0


class Do(Command, frozen=True):
    """Run one step; ``skip`` leaves the action out and only waits (the fork 'forget the kick')."""

    step: str
    skip: bool = False


class Try(Command, frozen=True):
    """Do one order of the sandbox, a line of ``lesson.orders``; it is told as a step of the name ``step``."""

    step: str
    line: str


class Tell(Command, frozen=True):
    """Put a question or an answer of the front end into the trace."""

    data: ev.Question | ev.Answer


class Close(Command, frozen=True):
    """Take everything down and say Bye."""


class Hold(Command, frozen=True):
    """Slow motion: the worker takes no chain of ``queue`` but released ones."""

    queue: int


class Release(Command, frozen=True):
    """The worker may take ``count`` chains of a held ``queue``."""

    queue: int
    count: int = 1


class Resume(Command, frozen=True):
    """The end of slow motion of ``queue``, whoever began it."""

    queue: int


class Rate(Command, frozen=True):
    """Look ``hertz`` times a second."""

    hertz: float


class Packet(Command, frozen=True):
    """Show a packet of each queue from time to time, or no longer."""

    on: bool = True


AnyCommand = Open | Do | Try | Tell | Close | Hold | Release | Resume | Rate | Packet
"""The first five are for an agent, the others for a device that is watched (``watch_door``)."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


def encode(command: AnyCommand) -> bytes:
    """One JSON line, newline included."""
    return _encoder.encode(command) + b"\n"


def decode(line: bytes) -> AnyCommand:
    """The command in one line. Raises msgspec.DecodeError or msgspec.ValidationError."""
    return ev.decode_line(_decoder, line)
