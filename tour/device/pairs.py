"""The queue pairs of a server as one thing to watch: eyes for the sampler, hands for slow motion.

Ring ``queue`` of them is ring ``queue % 2`` of device ``queue // 2`` [virtio v1.3 5.1.2].
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from tour.device.embedded import EmbeddedDevice
from tour.device.sampler import HERTZ_MOST, EmbeddedEye, Sampler
from tour.errors import UsageError
from tour.trace.events import AnyPayload
from tour.trace.recorder import Recorder


class Pairs:
    """``devices`` gives the devices there are now: a front end that comes again may bring others."""

    def __init__(self, devices: Callable[[], Sequence[EmbeddedDevice]]) -> None:
        self._devices = devices

    def eyes(self) -> list[EmbeddedEye]:
        """One for each ring."""
        pairs = enumerate(self._devices())
        return [EmbeddedEye(device, index, 2 * pair + index) for pair, device in pairs for index in (0, 1)]

    def around(self) -> list[AnyPayload]:
        """The first pair's worker, as /proc shows it."""
        workers = [device.worker for device in self._devices()[:1]]
        return [worker.look() for worker in workers if worker]

    def hold(self, queue: int, on: bool) -> None:
        """Slow motion on or off. Raises UsageError for a queue that is not there."""
        device, index = self._find(queue)
        device.hold(index, on)

    def release(self, queue: int, count: int) -> None:
        """Let a held queue's worker take ``count`` chains. Raises UsageError for a queue that is not there."""
        device, index = self._find(queue)
        device.release(index, count)

    def _find(self, queue: int) -> tuple[EmbeddedDevice, int]:
        devices = self._devices()
        if not 0 <= queue < 2 * len(devices):
            raise UsageError(f"There is no queue {queue} here.", f"There are {2 * len(devices)}, the first is 0.")
        return devices[queue // 2], queue % 2


@contextlib.contextmanager
def sampled(devices: Sequence[EmbeddedDevice], recorder: Recorder, hertz: float = HERTZ_MOST) -> Iterator[Sampler]:
    """``devices`` watched inside, ``hertz`` times a second however busy the cores: what a measurement wants."""
    sampler = Sampler(Pairs(lambda: devices).eyes, recorder, hertz, yields=False)
    sampler.wanted(True)
    try:
        yield sampler
    finally:
        sampler.close()
