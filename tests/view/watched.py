"""A foreign guest's stream told by hand: what the picture of watching is tested with."""

from __future__ import annotations

from msgspec.structs import replace

from tests.view.story import ARP
from tour.agent.watching import Spectator
from tour.i18n import Lang
from tour.trace import events as ev

MS = 1_000_000
BEGAN = 5_000_000_000
FEATURES = 0x17000BB83
MESSAGES: tuple[tuple[str, dict[str, object], dict[str, object], int], ...] = (
    ("SET_OWNER", {}, {}, 0),
    ("GET_FEATURES", {}, {"features": FEATURES}, 0),
    ("SET_FEATURES", {"features": FEATURES}, {}, 0),
    ("SET_MEM_TABLE", {"regions": [
        {"gpa": 0, "size": 0xA0000, "user": 0x7F0000000000, "offset": 0},
        {"gpa": 0x100000, "size": 0xFF00000, "user": 0x7F0000100000, "offset": 0x100000},
    ]}, {"status": 0}, 2),
    ("SET_VRING_NUM", {"index": 1, "num": 256}, {}, 0),
    ("SET_VRING_KICK", {"index": 1, "nofd": False}, {}, 1),
    ("SET_VRING_ENABLE", {"index": 1, "num": 1}, {}, 0),
)  # fmt: skip


class Stream:
    """Events of a device with ``queues`` rings of ``num`` slots; ``begin`` is the indices' first value."""

    def __init__(self, num: int = 256, queues: int = 2, begin: int = 0, *, by: str = "socket") -> None:
        self.num, self.by = num, by
        self.events: list[ev.Event] = []
        self.t = BEGAN
        self._published = dict.fromkeys(range(queues), begin)
        self._returned = dict.fromkeys(range(queues), begin)
        self._totals = dict.fromkeys(range(queues), (0, 0, 0, 0, 0, 0))
        device = "kernel" if by == "qmp" else "embedded"
        self.tell(ev.Hello(
            ev.PROTOCOL, ev.SCHEMA, "0.1.0", device, "6.1.0", "tap", ev.WATCH, "2026-11-22T22:00:00Z", gear="engine"
        ), actor="tour")  # fmt: skip
        name = "qemu-system-x86" if by == "qmp" else "linux.uml"
        self.tell(ev.Watching(by, "/run/guest.sock", 4711, name, queues), actor="tour")

    def tell(self, data: ev.AnyPayload, *, actor: ev.Actor = "device", after: int = 0) -> None:
        """One event, ``after`` ns later."""
        self.t += after
        source: ev.Source = "observer" if actor == "device" else "control" if actor == "control" else "tour"
        self.events.append(
            ev.Event(len(self.events), self.t, actor, source, data, inferred=isinstance(data, ev.Sample))
        )

    def attached(self) -> Stream:
        """The front end's messages and the worker."""
        self.tell(ev.Worker("vhost-4700", 4702, "ours", "S"))
        for number, (name, arg, out, fds) in enumerate(MESSAGES):
            message = ev.Message(
                f"VHOST_USER_{name}", number, 1, arg, "", fds, 0, replied=bool(out), out=out
            )  # fmt: skip
            self.tell(message, actor="control", after=MS)
        return self

    def look(
        self, queue: int = 1, *, published: int = 0, returned: int = 0, taken: int | None = None, kicks: int = 0,
        calls: int = 0, after: int = 50 * MS, **words: object,
    ) -> Stream:  # fmt: skip
        """One look at a queue after that many more chains; ``taken`` are in the device's hands; ``words`` replace
        fields of the sample."""
        self._published[queue] += published
        self._returned[queue] += returned
        chains, packets, octets, kicked, called, turns = self._totals[queue]
        totals = (chains + returned, packets + returned, octets + 76 * returned, kicked + kicks, called + calls,
                  turns + bool(returned))  # fmt: skip
        self._totals[queue] = totals
        self.t += after
        if self.by == "socket":
            chains, packets, octets, kicked, called, turns = totals
            self.tell(ev.Rates(queue, self.t, chains, packets, octets, kicked, called, chains - called, turns, 0))
        self.tell(self._sample(queue, taken, words))
        return self

    def _sample(self, queue: int, taken: int | None, words: dict[str, object]) -> ev.Sample:
        avail, used, num = self._published[queue], self._returned[queue], self.num
        newest = min(ev.WINDOW, num)
        slots = [(avail - newest + n) % num for n in range(newest)]
        back = [(used - newest + n) % num for n in range(newest)]
        last = None if self.by == "qmp" else (used + (0 if taken is None else taken)) & 0xFFFF
        sample = ev.Sample(
            queue, self.t - 2000, self.t, num, avail & 0xFFFF, 0, used & 0xFFFF, 0, last_avail_idx=last,
            avail=[[slot, slot] for slot in slots], used=[[slot, slot, 54 if queue % 2 == 0 else 0] for slot in back],
            desc=[[slot, 0x100000 + 0x600 * slot, 1536, 2 if queue % 2 == 0 else 0, 0] for slot in slots],
        )  # fmt: skip
        return replace(sample, **words)

    def packet(self, queue: int = 1) -> Stream:
        """A packet is shown."""
        self.tell(ev.Packet("out" if queue % 2 else "in", "port", ARP.hex(), "00" * 12, queue))
        return self

    def seen(self, lang: Lang = "en") -> Spectator:
        """Someone who looks at the last of it, as in a recording."""
        spectator = Spectator(None, lang, self.events)
        spectator.show_at(len(self.events))
        return spectator


def busy(num: int = 256, queues: int = 2) -> Stream:
    """A guest that sends 200 packets each look and waits for none, event indices on, indices past their first round."""
    stream = Stream(num, queues, 65000).attached()
    for _ in range(40):
        for queue in range(queues):
            event = (stream._returned[queue] + 250) & 0xFFFF
            stream.look(
                queue, published=200, returned=200, taken=0, kicks=2, calls=1, after=25 * MS, used_event=event,
                avail_event=(stream._published[queue] - 7) & 0xFFFF,
            )  # fmt: skip
    stream.look(1, published=150, returned=0, taken=30, after=25 * MS, used_event=event, avail_event=event)
    return stream.packet(1).packet(0)
