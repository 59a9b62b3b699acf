# en: The test as vring_need_event() writes it.
# zh: 按 vring_need_event() 的写法。
"""The device's side of the used ring: give chains back in batches, and call the driver when it asked for it."""

from collections.abc import Callable

from tour.virtqueue.ring import Ring


class Completions:
    """``idx`` is the next used index to write; ``call()`` notifies the driver."""

    def __init__(self, ring: Ring, idx: int, call: Callable[[], None]) -> None:
        self.ring, self.idx, self.call = ring, idx, call

    def give_back(self, done: list[list[int]]) -> None:
        """Give the chains of ``done``, [head, length] each, back at once."""
        for n, (head, length) in enumerate(done):
            self.ring.store_used_entry(self.idx + n, head, length)
        old, self.idx = self.idx, (self.idx + len(done)) % 65536
        self.ring.store_used_idx(self.idx)
        self.ring.full_barrier()
        event = self.ring.load_used_event()
        if (self.idx - event - 1) & 0xFFFF < (self.idx - old) & 0xFFFF:
            self.call()


queues: list[Completions] = []


def attach(ring: Ring, idx: int, call: Callable[[], None]) -> None:
    """A ring to work on, from now on."""
    queues[:] = [Completions(ring, idx, call)]


def give_back(done: list[list[int]]) -> None:
    """Give these chains back."""
    queues[0].give_back(done)
