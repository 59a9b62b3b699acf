"""The sandbox's orders on a real set-up: what each leaves in memory, on doorbells and at the port."""

from __future__ import annotations

import pytest

from tests.support import in_own_network
from tour.agent import protocol
from tour.agent.sand_stage import SandStage
from tour.lesson.sandbox import EXTRAS, SANDBOX
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.trace.state import State
from tour.trace.timeline import Timeline

pytestmark = pytest.mark.requires("embedded")


class Sand:
    """A sandbox in this process."""

    def __init__(self, features: int = 0) -> None:
        self.timeline = Timeline()
        self.recorder = Recorder(self.timeline.append)
        self.stage = SandStage(protocol.Open(1, SANDBOX, "embedded", features=features), self.recorder, self.timeline)
        self.stage.open()
        self.said = 0

    def __enter__(self) -> Sand:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stage.close()
        assert self.recorder.dropped == []

    def obey(self, *lines: str) -> State:
        for line in lines:
            self.said += 1
            self.stage.obey(f"{self.said} {line}", line)
        return self.timeline.edge

    def refused(self, line: str) -> str:
        self.obey(line)
        assert self.timeline.edge.ended == "refused"
        notes = [event.data.key for event in self.timeline.events if isinstance(event.data, ev.Note)]
        return notes[-1].removeprefix("sandbox.refused.")

    def matches(self) -> bool:
        """Whether the shown indices are those in memory."""
        nic, state = self.stage.nic, self.timeline.edge
        assert nic is not None
        return all(
            (ring.load_avail_idx(), ring.load_used_idx()) == (state.rings[index].avail_idx, state.rings[index].used_idx)
            for index, ring in nic.rings.items()
        )


ONE = ("write", "describe", "entry", "publish")


@in_own_network
def test_the_driver_s_orders_carry_a_packet_out_and_its_answer_in() -> None:
    with Sand() as sand:
        state = sand.obey(*ONE)
        assert (state.tx.avail_idx, state.tx.used_idx, state.tx.kick.count) == (1, 0, 0)
        state = sand.obey("kick")
        assert (state.tx.used_idx, state.tx.call.count, state.rx.used_idx) == (1, 1, 1)
        state = sand.obey("listen", "reap", "reap rx", "describe rx", "entry rx", "publish rx", "kick rx")
        assert (state.tx.num_free, state.tx.call.count, state.rx.avail_idx) == (8, 0, 9)
        assert sand.matches()


@in_own_network
def test_with_the_queue_in_the_hand_nothing_happens_by_itself() -> None:
    with Sand() as sand:
        state = sand.obey("take", *ONE, "kick")
        assert (state.tx.kick.count, state.tx.used_idx) == (1, 0)
        assert sand.refused("take") == "in_your_hand" and sand.refused("map") == "pop_first"
        state = sand.obey("pop", "map", "send")
        assert (state.tx.last_avail_idx, state.tx.used_idx) == (1, 0) and state.rx.used_idx == 1, "the peer answered"
        assert sand.refused("give") == "unfinished" and sand.refused("pop") == "fill_first"
        state = sand.obey("fill", "flush", "call", "give")
        assert (state.tx.used_idx, state.tx.call.count, state.tx.last_avail_idx) == (1, 1, 1)
        state = sand.obey("reap", *ONE, "kick")
        assert state.tx.used_idx == 2, "the device goes on where the hand stopped"
        assert sand.matches()


@in_own_network
def test_the_receive_queue_by_hand() -> None:
    with Sand() as sand:
        sand.obey("take rx", *ONE, "kick", "pop rx", "receive", "fill rx", "flush rx", "call rx", "give rx")
        state = sand.timeline.edge
        assert (state.rx.used_idx, state.rx.call.count, state.tx.used_idx) == (1, 1, 1)
        assert (state.rx.used_ring[0] or (0, 0))[1] == 54


@in_own_network
def test_doorbells_that_are_lost_come_twice_or_come_late() -> None:
    with Sand() as sand:
        state = sand.obey("doorbell kick drop", *ONE, "kick")
        assert (state.tx.kick.count, state.tx.used_idx) == (0, 0)
        state = sand.obey("doorbell kick twice", "kick always")
        assert (state.tx.kick.count, state.tx.used_idx) == (2, 1)
        state = sand.obey("doorbell kick late", *ONE, "kick")
        assert state.tx.used_idx == 1
        state = sand.obey("deliver kick")
        assert state.tx.used_idx == 2 and sand.refused("deliver kick") == "nothing_kept"
        state = sand.obey("listen", "doorbell kick normal", "doorbell call drop", *ONE, "kick")
        assert (state.tx.used_idx, state.tx.call.count) == (3, 0)
        state = sand.obey("doorbell call late", *ONE, "kick")
        assert state.tx.call.count == 0
        assert sand.obey("deliver call").tx.call.count == 1
        assert sand.obey("listen", "doorbell call twice", *ONE, "kick").tx.call.count == 2
        assert sand.obey("listen", "doorbell call normal", *ONE, "kick").tx.call.count == 1


@in_own_network
def test_a_call_from_the_hand_goes_the_doorbell_s_way_too() -> None:
    with Sand() as sand:
        sand.obey("take", *ONE, "pop", "send", "fill", "flush", "doorbell call drop")
        assert sand.obey("call").tx.call.count == 0
        assert sand.obey("doorbell call late", "call").tx.call.count == 0
        assert sand.obey("deliver call").tx.call.count == 1
        assert sand.obey("doorbell call twice", "call").tx.call.count == 3


@in_own_network
def test_a_field_poked_is_what_the_device_meets() -> None:
    with Sand() as sand:
        state = sand.obey(*ONE[:2], "poke desc[0].addr 0xdead0000", "entry", "publish", "kick")
        assert state.tx.used_idx == 0 and any(isinstance(e.data, ev.Broken) for e in sand.timeline.events)
        assert sand.obey("poke desc[0].addr 0x40000", "kick always").tx.used_idx == 1, "mended and kicked, it goes on"
        sand.obey("poke used.idx 9", "reap")
        assert sand.timeline.edge.ended == "refused", "the driver believes no jump"
        assert sand.refused("poke tx.nothing 1") == "field" and sand.refused("peek desc[99].len") == "field"


@in_own_network
def test_equality_stalls_a_burst_that_the_window_test_carries() -> None:
    with Sand(features=EXTRAS["event-idx"]) as sand:
        assert sand.obey("burst 2", "reap", "burst 3", "reap").tx.used_idx == 5
        state = sand.obey("fault kick-equality", "burst 3", "look")
        assert (state.tx.avail_idx, state.tx.used_idx) == (8, 5), "stalled"
        assert sand.obey("fault kick-equality off", "kick always").tx.used_idx == 8
        state = sand.obey("reap", "fault no-second-look", "fault call-equality", "burst 3")
        assert state.tx.used_idx == 11


@in_own_network
def test_control_orders_and_a_device_s_refusal() -> None:
    with Sand() as sand:
        sand.obey("base 3")
        assert sand.timeline.edge.ended == "EBUSY"
        sand.obey("detach", "base 0", *ONE, "kick")
        assert sand.timeline.edge.tx.used_idx == 0
        assert sand.obey("attach").tx.used_idx == 1
