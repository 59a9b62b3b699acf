# wrong: first
# en: It takes one chain back for each call.
# zh: 每次 call 只收回一条链。
# misconception: one-call-per-packet
"""A driver that takes chains back whenever it is called (event idx)."""

from tour.virtqueue.ring import Ring


class Reaper:
    """``last`` is the next used index to read."""

    def __init__(self, ring: Ring, last: int) -> None:
        self.ring, self.last = ring, last

    def called(self) -> list[int]:
        """What the interrupt handler does: take back every chain that is done; their heads."""
        heads: list[int] = []
        while True:
            idx = self.ring.load_used_idx()
            if self.last != idx:
                heads.append(self.ring.read_used_entry(self.last).head)
                self.last = (self.last + 1) % 65536
            self.ring.store_used_event(self.last)
            self.ring.full_barrier()
            return heads


queues: list[Reaper] = []


def attach(ring: Ring, last: int) -> None:
    """A ring to work on, from now on."""
    queues[:] = [Reaper(ring, last)]


def called() -> list[int]:
    """The device called."""
    return queues[0].called()
