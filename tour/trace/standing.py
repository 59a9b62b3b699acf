"""What stands now of a stream that has no end: the few events that bring a newcomer to the present.

A watcher may come after hours, a recording may begin in the middle: both begin with these.
"""

from __future__ import annotations

from collections.abc import Hashable

from tour.trace import events as ev

MESSAGES_KEPT = 32


class Standing:
    """A sink that keeps the last event of each kind (and queue) that still holds, in the order they first came.

    A Hello begins anew; another front end leaves the rings behind. Bounded: by the queues and regions a device may
    have, and ``MESSAGES_KEPT`` messages.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, ev.Event] = {}
        self._messages = 0

    def __call__(self, event: ev.Event) -> None:
        """Take one event."""
        data = event.data
        if isinstance(data, ev.Hello):
            self._kept.clear()
        elif isinstance(data, ev.Watching):
            self._forget_rings()
        key = self._message() if isinstance(data, ev.Message) else _key(data)
        if key is not None:
            self._kept[key] = event

    def _forget_rings(self) -> None:
        """Another front end, or none: of what the one before said, of its rings and memory nothing holds."""
        passing = (ev.Watching, ev.Message, ev.Sample, ev.Rates, ev.Broken, ev.Features, ev.Region, ev.Worker)
        self._kept = {key: event for key, event in self._kept.items() if not isinstance(event.data, passing)}

    def _message(self) -> Hashable:
        self._messages += 1
        self._kept.pop((ev.Message, self._messages - MESSAGES_KEPT), None)
        return (ev.Message, self._messages)

    @property
    def events(self) -> list[ev.Event]:
        """What stands, a Hello first if there was one."""
        return list(self._kept.values())


def _key(data: ev.AnyPayload) -> Hashable | None:
    """What an event is the latest of, None for one that passes."""
    if isinstance(data, ev.Sample | ev.Rates | ev.Broken):
        return (type(data), data.queue)
    if isinstance(data, ev.Features):
        return (ev.Features, data.whose)
    if isinstance(data, ev.Region):
        return (ev.Region, data.index)
    if isinstance(data, ev.Hello | ev.Watching | ev.Worker | ev.Peer):
        return type(data)
    return None
