"""What the embedded device can say of a ring while it runs, whichever gear turns it: totals, indices, holding."""

from __future__ import annotations

from typing import NamedTuple


class Counters(NamedTuple):
    """Totals of one ring since its device was made. None: this gear does not count it.

    ``chains`` completed, of ``pieces`` mapped spans; ``packets`` and their ``bytes`` (without header) that went
    through, ``dropped`` ones that the port refused or no chain could hold; ``turns`` of the worker, ``kicks`` that
    woke it; ``calls`` rung and ``calls_saved`` because the driver did not want them; ``syscalls`` in all, ``batches``
    of completions; ``sleeps`` of the worker, both rings together.
    """

    chains: int
    packets: int
    bytes: int
    dropped: int
    turns: int
    kicks: int
    calls: int
    calls_saved: int
    pieces: int | None = None
    syscalls: int | None = None
    batches: int | None = None
    sleeps: int | None = None


class Status(NamedTuple):
    """A ring at this instant. Indices are 0 while it is not ``attached``, but for ``last_avail_idx``, where it would
    go on. ``broken`` is why the ring rests until it is detached, ``held`` whether it waits for releases."""

    last_avail_idx: int
    avail_seen: int
    used_shadow: int
    attached: bool
    broken: str | None
    kicks_wanted: bool
    held: bool


class Tally:
    """What the Python gear counts of a ring, and its slow motion. Survives attaching and detaching."""

    def __init__(self) -> None:
        self.chains = self.packets = self.bytes = self.dropped = 0
        self.turns = self.kicks = self.calls = self.calls_saved = 0
        self.held = False
        self.released = 0
        """Chains that may still be taken while held."""
        self.wanted = False
        self.last: bytes | None = None

    def may_take(self) -> bool:
        """Whether another chain may be taken."""
        return not self.held or self.released > 0

    def took(self, chains: int) -> None:
        """Of the released chains ``chains`` are gone; a frame that takes several may take more than were left."""
        self.released = max(0, self.released - chains)

    def moved(self, header: bytes, frame: bytes) -> None:
        """Note a packet that went through."""
        self.packets += 1
        self.bytes += len(frame)
        if self.wanted:
            self.last, self.wanted = header + frame, False

    def take_last(self, want: bool) -> bytes | None:
        """The packet kept since the last ``want``, and whether the next one is to be kept."""
        found, self.last = self.last, None
        self.wanted = want
        return found

    @property
    def counters(self) -> Counters:
        """As everybody sees them."""
        return Counters(
            self.chains, self.packets, self.bytes, self.dropped, self.turns, self.kicks, self.calls, self.calls_saved
        )
