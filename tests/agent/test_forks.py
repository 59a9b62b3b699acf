"""Forks through real agents: what goes on from the past ends as its run did. (From every step: tests/scene.)"""

from __future__ import annotations

import pytest

from tests.agent.playing import Played, local, whole_run, words
from tests.trace.recordings import reference
from tour.agent import protocol
from tour.agent.forks import fork_point
from tour.agent.showing import moment
from tour.lesson import model
from tour.trace import events as ev
from tour.trace.timeline import Timeline

pytestmark = pytest.mark.requires("embedded")

STEPS = model.load("8").step_ids
NORMAL = ["none", "gpa", "none", "avail_idx", "len0", "call", "last_used_idx"]


def point(timeline: Timeline, step: str) -> protocol.ForkPoint:
    mark = timeline.mark(step)
    assert mark is not None
    return fork_point(timeline, mark.position, f"8:{step}")


def goes_on(played: Played, timeline: Timeline, step: str) -> list[tuple[str, str]]:
    """A fork from the beginning of ``step``, to its end; checks that all checks held on the way."""
    player = played.open(step=played.player.lesson.step_ids.index(step), fork=point(timeline, step))
    assert player.error is None, player.error
    hello = player.timeline.edge.hello
    assert hello is not None and hello.forked_from == f"8:{step}"
    mark = timeline.mark(step)
    assert mark is not None and words(player.timeline.edge) == words(timeline.at(mark.position)), "it begins as it was"
    rights = played.to_end()
    verdicts = [event.data for event in player.timeline.events if isinstance(event.data, ev.Check)]
    assert verdicts and all(verdict.ok for verdict in verdicts)
    return rights


@pytest.mark.parametrize(
    ("vary", "step"), [("", "publish"), ("", "kick"), ("", "call"), ("size2", "reap"), ("wrap", "kick")]
)
def test_a_fork_ends_as_the_run_it_came_from(vary: str, step: str) -> None:
    run = whole_run(vary)
    with local() as played:
        rights = goes_on(played, run, step)
        assert words(played.player.timeline.edge) == words(run.edge)
    assert [right for _, right in rights] == NORMAL[STEPS.index(step) :], "exactly one choice came true each time"


@pytest.mark.parametrize("step", ["kick", "call"])
def test_a_recording_of_the_real_kernel_can_be_gone_on_from(step: str) -> None:
    run = Timeline(reference().events)
    with local() as played:
        player = played.open(step=STEPS.index(step), fork=point(run, step))
        rights = played.to_end()
        ours, theirs = player.timeline.edge.tx, run.edge.tx
    assert [right for _, right in rights] == NORMAL[STEPS.index(step) :]
    for name in (
        "desc",
        "avail_idx",
        "avail_ring",
        "used_idx",
        "used_ring",
        "last_avail_idx",
        "last_used_idx",
        "taken",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize(("vary", "num", "base"), [("size2", 2, 0), ("wrap", 8, 65535)])
def test_the_lessons_forks_change_what_they_say(vary: str, num: int, base: int) -> None:
    run = whole_run(vary)
    begin = run.mark("frame")
    assert begin is not None
    tx = run.at(begin.position).tx
    assert (tx.num, tx.avail_idx, tx.used_idx, tx.last_avail_idx, tx.last_used_idx) == (num, *[base] * 4)
    after = run.edge.tx
    assert after.avail_idx == after.used_idx == after.last_used_idx == (base + 1) & 0xFFFF
    assert after.used_ring[base % num] == (0, 0)
    assert run.edge.hello is not None and run.edge.hello.variant == vary


def test_a_forgotten_kick_stays_forgotten_until_it_comes() -> None:
    with local() as played:
        player = played.open()
        played.to(player.lesson.vary[0].at)
        player.fork("forget_kick")
        played.settle()
        assert player.step.id == player.lesson.vary[0].at and player.origin == f"8:{player.step.id}"
        played.to("kick")
        assert player.words(player.step) != player.lesson.text("en", "kick"), "its own words"
        rights = played.to_end()
        state = player.timeline.edge
        assert rights == [("kick", "nothing"), ("call", "nothing"), ("reap", "none")]
        ended = [event.data.ended for event in player.timeline.events if _ends(event, "kick")]
        assert ended == ["still"]
        assert (state.tx.avail_idx, state.tx.used_idx, state.tx.waiting, state.packets_out) == (1, 0, 1, 0)
        assert (state.tx.kick.count, state.tx.holder(0)) == (0, "device")

        assert player.session is not None
        player.waiting_for, player.busy = 1000, "kick"
        player.session.send(protocol.Do(1000, "kick"))
        played.settle()
        state = player.timeline.edge
        assert state.ended == "quiescent" and (state.tx.used_idx, state.packets_out) == (1, 1)


def _ends(event: ev.Event, step: str) -> bool:
    return isinstance(event.data, ev.Step) and event.data.mark == "end" and event.data.step == step


def test_f_while_looking_back_goes_on_from_the_step_shown() -> None:
    with local() as played:
        player = played.open()
        played.to_end()
        mark = player.timeline.mark("entry")
        assert mark is not None
        player.seek(mark.position + 1)
        player.fork()
        played.settle()
        assert player.step.id == "entry" and player.moment().forked_from == "8:entry"
        assert [right for _, right in played.to_end()] == NORMAL[2:]


def test_calls_not_read_come_along() -> None:
    run = whole_run()
    assert [ring.calls for ring in point(run, "call").rings] == [1, 1]
    assert [ring.calls for ring in point(run, "frame").rings] == [0, 0]


def test_a_fork_that_does_other_things_asks_and_names_them() -> None:
    """Lesson 5 told the addresses of the guest: noted, refused when attached, mended, attached."""
    with local("5") as played:
        played.player.fork("gpa")
        played.settle()
        shown = moment(played.player)
        assert shown.titles[shown.step_index :] == ("GPAs", "try it", "mend it", "try again")
        assert shown.titles[: shown.step_index] == ("size 3", "size 8", "lay out", "base")
        assert [right for _, right in played.to_end()] == ["note", "fault", "addresses", "runs"]
        checks = [event.data for event in played.player.timeline.events if isinstance(event.data, ev.Check)]
    assert len(checks) == 11 and all(check.ok for check in checks)
