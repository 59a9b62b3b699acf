"""A driver that sends while it wants no calls: it reaps now and then, when it has the time."""

from collections.abc import Callable

from tour.virtqueue.ring import Ring

NO_INTERRUPT = 1
NO_NOTIFY = 1


class Sender:
    """``idx`` is the next available index; ``kick()`` notifies the device."""

    def __init__(self, ring: Ring, idx: int, kick: Callable[[], None]) -> None:
        self.ring, self.idx, self.kick = ring, idx, kick

    def want_calls(self, wanted: bool) -> None:
        """Tell the device whether the driver wants to be called."""
        self.ring.store_avail_flags(0 if wanted else NO_INTERRUPT)

    def send(self, heads: list[int]) -> None:
        """Hand these chains to the device."""
        for n, head in enumerate(heads):
            self.ring.store_avail_entry(self.idx + n, head)
        self.idx = (self.idx + len(heads)) % 65536
        self.ring.store_avail_idx(self.idx)
        self.ring.full_barrier()
        if not self.ring.load_used_flags() & NO_NOTIFY:
            self.kick()


queues: list[Sender] = []


def attach(ring: Ring, idx: int, kick: Callable[[], None]) -> None:
    """A ring to work on, from now on."""
    queues[:] = [Sender(ring, idx, kick)]


def want_calls(wanted: bool) -> None:
    """Whether the driver wants to be called."""
    queues[0].want_calls(wanted)


def send(heads: list[int]) -> None:
    """Hand these chains to the device."""
    queues[0].send(heads)
