"""Holds a run in this process against the truth rule: what is shown is what memory holds, word for word."""

from __future__ import annotations

from tour.agent import protocol
from tour.agent.forks import fork_point
from tour.agent.stage import Stage
from tour.device.observer import eventfd_count
from tour.scene.nic import Nic
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.trace.state import Ring as Shown
from tour.trace.state import State
from tour.trace.timeline import Timeline
from tour.virtqueue.ring import Ring

OWN = ("control", "driver", "device")


class Mirror:
    """A stage whose every own store is compared with memory as it is told, in the thread that wrote."""

    def __init__(self, command: protocol.Open) -> None:
        self.timeline = Timeline()
        self.differences: list[str] = []
        self.compared = 0
        self.recorder = Recorder(self.timeline.append, self.look)
        self.stage = Stage(command, self.recorder, self.timeline)

    @property
    def nic(self) -> Nic:
        """What runs."""
        assert self.stage.nic is not None
        return self.stage.nic

    def look(self, event: ev.Event) -> None:
        """At each store of our own writers: all words of both rings."""
        if self.stage.nic is not None and isinstance(event.data, ev.Store) and event.source in OWN:
            self.compare(f"event {event.seq} ({event.data.field})")

    def compare(self, where: str) -> None:
        """Every ring word as shown and as memory has it."""
        for index, ring in self.nic.rings.items():
            shown = in_words(self.timeline.edge.rings[index])
            self._same(where, ring_words(ring), shown)

    def compare_rest(self, where: str) -> None:
        """Private indices, buffers and doorbell counters."""
        state, nic = self.timeline.edge, self.nic
        for queue in (nic.tx, nic.rx):
            shown = state.rings[queue.ring.index]
            truth = {"avail_shadow": queue.avail_shadow, "last_used_idx": queue.last_used_idx, "free": queue.num_free}
            known = {"avail_shadow": shown.avail_shadow, "last_used_idx": shown.last_used_idx, "free": shown.num_free}
            self._same(where, truth, known)
            base = nic.device.get_vring_base(queue.ring.index, source="observer")
            self._same(where, {"last_avail_idx": base}, {"last_avail_idx": shown.last_avail_idx})
        for gpa, text in state.buffers.items():
            self._same(where, {hex(gpa): nic.memory.read(gpa, len(text) // 2).hex()}, {hex(gpa): text})
        self._same(where, {"counts": counts(nic)}, {"counts": shown_counts(state)})

    def _same(self, where: str, truth: dict[str, object], shown: dict[str, object]) -> None:
        self.compared += len(truth)
        apart = [key for key in truth if truth[key] != shown[key]]
        self.differences += [f"{where}: {key} is {truth[key]}, shown {shown[key]}" for key in apart]

    def run(self, steps: tuple[str, ...]) -> None:
        """Those steps in order."""
        for step in steps:
            self.stage.do(step, False)
            self.compare(step)
            self.compare_rest(step)

    def fork(self, step: str) -> Mirror:
        """A mirror of a fork at the beginning of ``step``."""
        mark = self.timeline.mark(step)
        assert mark is not None
        point = fork_point(self.timeline, mark.position, f"x:{step}")
        return Mirror(protocol.Open(1, self.stage.lesson.id, "embedded", fork=point))


def ring_words(ring: Ring) -> dict[str, object]:
    """All words of a ring, from memory."""
    words: dict[str, object] = {
        "avail.flags": ring.load_avail_flags(), "avail.idx": ring.load_avail_idx(),
        "used.flags": ring.load_used_flags(), "used.idx": ring.load_used_idx(),
        "used_event": ring.load_used_event(), "avail_event": ring.load_avail_event(),
    }  # fmt: skip
    for slot in range(ring.num):
        words[f"desc[{slot}]"] = tuple(ring.read_desc(slot))
        words[f"avail.ring[{slot}]"] = ring.read_avail_entry(slot)
        words[f"used.ring[{slot}]"] = tuple(ring.read_used_entry(slot))
    return words


def in_words(shown: Shown) -> dict[str, object]:
    """The same words as shown; what nobody wrote is 0 in fresh memory."""
    words: dict[str, object] = {
        "avail.flags": shown.avail_flags, "avail.idx": shown.avail_idx, "used.flags": shown.used_flags,
        "used.idx": shown.used_idx, "used_event": shown.used_event or 0, "avail_event": shown.avail_event or 0,
    }  # fmt: skip
    for slot in range(shown.num):
        words[f"desc[{slot}]"] = shown.desc[slot] or (0, 0, 0, 0)
        words[f"avail.ring[{slot}]"] = shown.avail_ring[slot] or 0
        words[f"used.ring[{slot}]"] = shown.used_ring[slot] or (0, 0)
    return words


def counts(nic: Nic) -> dict[str, int]:
    """The doorbells' counters, from /proc."""
    return {
        f"{index} {name}": eventfd_count(fd) for index, bells in nic.bells.items() for name, fd in bells.fds.items()
    }


def shown_counts(state: State) -> dict[str, int]:
    """The same as shown."""
    bells = {ring.index: {"kick": ring.kick, "call": ring.call, "err": ring.err} for ring in state.rings}
    return {f"{index} {name}": bell.count for index, of_ring in bells.items() for name, bell in of_ring.items()}
