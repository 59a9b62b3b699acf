"""The agent against a hostile front end: every line is answered, or the agent ends in order. And against its death."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from tests.agent.playing import Played, whole_run, words
from tests.support import children, wait_until
from tests.trace.recordings import events
from tour.agent import protocol
from tour.agent.client import LocalTransport
from tour.agent.forks import fork_point
from tour.agent.server import Agent, Writer, read_commands
from tour.agent.session import StreamSession
from tour.errors import AgentLost
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.trace.timeline import Timeline

embedded = pytest.mark.requires("embedded")
EMPTY = protocol.ForkPoint("8:frame", [], [protocol.RingPoint(0, 8, 0, 0, 0), protocol.RingPoint(1, 8, 0, 0, 0)])


class Spoken:
    """An agent process spoken to line by line."""

    def __init__(self) -> None:
        self.transport = LocalTransport()
        self.transport.process.stream.settimeout(20)
        self.pending = b""

    def lines(self) -> Iterator[ev.Event]:
        while data := self.transport.receive():
            *lines, self.pending = (self.pending + data).split(b"\n")
            yield from map(ev.decode, lines)

    def ask(self, command: protocol.AnyCommand) -> list[str]:
        """What the agent reported as errors until it was done."""
        self.transport.send(protocol.encode(command))
        errors = []
        for event in self.lines():
            if isinstance(event.data, ev.Error):
                errors.append(event.data.what)
            elif isinstance(event.data, ev.Done) and event.data.id == command.id:
                return errors
        raise AssertionError(f"the agent ended: {self.transport.reason()}")


@contextmanager
def spoken() -> Iterator[Spoken]:
    agent = Spoken()
    try:
        yield agent
    finally:
        agent.transport.close()


@embedded
def test_commands_in_any_order_are_answered() -> None:
    with spoken() as agent:
        assert agent.ask(protocol.Do(1, "frame")) == ["No lesson is open."]
        assert agent.ask(protocol.Open(2, "nope")) == ["There is no lesson 'nope'."]
        assert agent.ask(protocol.Close(3)) == []
        assert agent.ask(protocol.Open(4, "8", "embedded")) == []
        assert agent.ask(protocol.Open(5, "8", "embedded")) == ["A lesson is open already."]
        assert "no step 'dance'" in agent.ask(protocol.Do(6, "dance"))[0]
        assert "no step '__doc__'" in agent.ask(protocol.Do(7, "__doc__"))[0]
        for number, step in enumerate(("reap", "call", "publish", "kick", "reap")):
            assert agent.ask(protocol.Do(10 + number, step)) == [], step
        told = [agent.ask(protocol.Do(20 + number, "describe")) for number in range(9)]
        assert told[7] == [] and "no free descriptor" in told[8][0]
        assert agent.ask(protocol.Tell(40, ev.Question("kick", ["a"]))) == []
        assert agent.ask(protocol.Close(41)) == []
        assert agent.ask(protocol.Do(42, "kick")) == ["No lesson is open."]


def ring(**changes: object) -> protocol.ForkPoint:
    return replace(EMPTY, rings=[EMPTY.rings[0], replace(EMPTY.rings[1], **changes)])


HOSTILE: dict[str, dict[str, object]] = {
    "device": {"device": "bogus"},
    "num": {"num": 3},
    "base": {"base": 70000},
    "no rings": {"fork": replace(EMPTY, rings=[])},
    "not hex": {"fork": replace(EMPTY, image=[(0x1000, "zz")])},
    "far away": {"fork": replace(EMPTY, image=[(2**70, "00")])},
    "in the hole": {"fork": replace(EMPTY, image=[(0x30000, "00")])},
    "queue": {"fork": ring(queue=7)},
    "indices": {"fork": ring(last_avail_idx=2**40)},
    "not in flight": {"fork": ring(avail_shadow=5)},
    "calls": {"fork": ring(calls=2**64)},
}


@embedded
def test_set_ups_that_cannot_be_are_refused_and_the_agent_lives() -> None:
    with spoken() as agent:
        for number, (name, options) in enumerate(HOSTILE.items()):
            command = replace(protocol.Open(number, "8", "embedded"), **options)
            assert len(agent.ask(command)) == 1, name
            assert agent.ask(protocol.Do(100 + number, "frame")) == ["No lesson is open."], name
        assert agent.ask(protocol.Open(500, "8", "embedded")) == [], "nothing of them is left in the way"
        assert agent.ask(protocol.Do(501, "frame")) == []


@embedded
@pytest.mark.parametrize("line", [b"hello\n", b"\xff\n", b'{"cmd":"do","id":1,"step":"\xff"}\n', b"[" * 9000 + b"\n"])
def test_a_line_that_is_no_command_ends_the_agent_in_order(line: bytes) -> None:
    with spoken() as agent:
        agent.ask(protocol.Open(1, "8", "embedded"))
        agent.transport.send(line)
        last = list(agent.lines())
        assert isinstance(last[-1].data, ev.Bye)
        assert "code 0" in agent.transport.reason() and "not a command" in agent.transport.reason()


@embedded
def test_the_end_of_the_stream_ends_the_agent_in_order() -> None:
    with spoken() as agent:
        agent.ask(protocol.Open(1, "8", "embedded"))
        agent.transport.process.stream.shutdown(1)
        assert isinstance(list(agent.lines())[-1].data, ev.Bye)
        assert agent.transport.process.wait(20) == 0


# -- killed -----------------------------------------------------------------------------------------------


@embedded
def test_killed_in_the_middle_of_a_step_what_was_seen_stays_and_it_can_begin_again() -> None:
    transports: list[LocalTransport] = []

    def connect(command: protocol.Open) -> StreamSession:
        transports.append(LocalTransport())
        return StreamSession(transports[-1])

    played = Played(connect)
    player = played.player
    try:
        player.open(4, fork=fork_point(whole_run(), whole_run().mark("kick").position, "8:kick"))  # type: ignore[union-attr]
        played.settle()
        player.vary = next(vary for vary in player.lesson.vary if vary.set.get("skip") == "kick")
        player.act()  # it waits until nothing has moved for 200 ms: time to die in
        played.pump.until(lambda: player.timeline.edge.step == "kick", 20)
        (agent,) = children(transports[0].process.init_pid)
        os.kill(agent, signal.SIGKILL)
        played.pump.until(lambda: player.error is not None, 20)
        assert isinstance(player.error, AgentLost) and "signal 9 (SIGKILL)" in player.error.why
        assert not player.busy and player.timeline.edge.ended == ""
        seen = len(player.timeline)
        player.back()
        assert player.looking_back and player.moment().timeline.position < seen
        player.live()
        player.enter()
        assert not player.busy, "nothing is done without an agent"

        player.restart()
        played.settle()
        assert player.error is None and player.step.id == "kick" and player.origin == ""
        player.vary = None
        assert played.to_end()[0] == ("kick", "len0")
        assert words(player.timeline.edge) == words(whole_run().edge)
    finally:
        player.close()
    for transport in transports:
        wait_until(lambda process=transport.process: not process.running(), "the end of the agent's processes")


# -- parts ------------------------------------------------------------------------------------------------


def test_a_slow_reader_loses_data_plane_events_and_is_told_how_many() -> None:
    read, write = os.pipe()
    writer = Writer(write)
    sent = [events(ev.Kick(1, 9, 1))[0]] * 8000
    control = events(ev.Note("x"))[0]
    for event in sent:
        writer(event)
    wanted = threading.Thread(target=lambda: (writer(control), writer.close(), os.close(write)))
    wanted.start()
    with open(read, "rb") as stream:
        got = [ev.decode(line) for line in stream]
    wanted.join()
    lost = sum(event.data.n for event in got if isinstance(event.data, ev.Lost))
    assert lost > 1000 and sum(isinstance(event.data, ev.Kick) for event in got) + lost == 8000
    assert got[-1] == control


def test_nobody_reads_any_more() -> None:
    read, write = os.pipe()
    os.close(read)
    writer = Writer(write)
    done = threading.Thread(target=lambda: [writer(events(ev.Note("x"))[0]) for _ in range(10000)])
    done.start()
    done.join(20)
    assert not done.is_alive(), "the agent must not hang on a front end that is gone"
    writer.close()
    os.close(write)


def test_an_event_too_long_for_the_wire_is_told_as_lost() -> None:
    read, write = os.pipe()
    writer = Writer(write)
    writer(events(ev.Write(1, 0, "", "00" * ev.LINE_MAX))[0])
    writer(events(ev.Note("x"))[0])
    writer.close()
    os.close(write)
    with open(read, "rb") as stream:
        assert [type(ev.decode(line).data) for line in stream] == [ev.Lost, ev.Note]


def test_commands_are_read_until_the_first_that_is_none() -> None:
    read, write = os.pipe()
    os.write(write, protocol.encode(protocol.Close(1)) + b"x\n" + protocol.encode(protocol.Close(2)))
    inbox: queue.Queue[protocol.AnyCommand | None] = queue.Queue()
    read_commands(read, inbox)
    assert [inbox.get_nowait(), inbox.get_nowait()] == [protocol.Close(1), None] and inbox.empty()
    os.close(write)
    read_commands(read, inbox)
    assert inbox.get_nowait() is None
    os.close(read)
    read_commands(read, inbox)
    assert inbox.get_nowait() is None, "also of a descriptor that is none"


def test_an_agent_that_lost_track_of_itself_says_so() -> None:
    told: list[ev.Event] = []
    timeline = Timeline()
    recorder = Recorder(timeline.append, told.append)
    recorder.emit(ev.Kick(7, 9, 1), actor="driver")
    Agent(recorder, timeline).run(protocol.Close(1))
    assert [type(event.data) for event in told] == [ev.Kick, ev.Error, ev.Done]
    assert "lost track" in told[1].data.what  # type: ignore[union-attr]
