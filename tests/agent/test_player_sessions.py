"""The player and sessions that misbehave: late words, death, contradictions, and steps one begins at."""

from __future__ import annotations

import pytest

from tests.agent.playing import local, replayed
from tests.agent.puppet import puppets
from tests.trace.recordings import HELLO
from tour.agent import protocol
from tour.errors import AgentLost, CapabilityMissing, TourError
from tour.lesson import model
from tour.trace import events as ev

LESSON = model.load("8")


def test_only_the_end_of_the_very_command_counts() -> None:
    player, (puppet,) = puppets()
    puppet.say(HELLO, ev.Done(99))
    assert player.busy
    puppet.say(ev.Done(puppet.sent[0].id))
    assert not player.busy


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ev.Error("No.", "why", "fix", "kernel"), CapabilityMissing, 3),
        (ev.Error("No.", "why", "fix"), TourError, 4),
    ],
)
def test_an_error_of_the_agents_stops_everything_and_keeps_its_exit_code(
    error: ev.Error, kind: type[TourError], code: int
) -> None:
    player, (puppet,) = puppets()
    puppet.say(error, ev.Done(puppet.sent[0].id))
    assert isinstance(player.error, kind) and player.error.exit_code == code
    assert (player.error.what, player.error.why, player.error.fix) == ("No.", "why", "fix")
    player.enter()
    player.answer("none")
    assert len(puppet.sent) == 1 and player.notice in ("", "No.")


@pytest.mark.parametrize("payload", [ev.Kick(7, 1, 1), ev.Store(1, "odd", 0, "", "", [], [1])])
def test_events_that_contradict_stop_the_run_and_what_was_seen_stays(payload: ev.AnyPayload) -> None:
    player, (puppet,) = puppets()
    puppet.say(HELLO, ev.RingPlace(1, 8, 0, 64, 128), payload)
    assert player.error is not None and player.error.exit_code == 2 and not player.busy
    assert len(player.timeline) == 2
    player.back()
    assert player.looking_back


def test_what_the_agent_and_the_lab_say_follows_the_language_at_once() -> None:
    player, (puppet,) = puppets()
    player.progress("lab:  0.5 s  the kernel is starting")
    assert player.moment().busy == "lab:  0.5 s  the kernel is starting"
    player.set_lang("zh")
    assert player.moment().busy == "实验虚拟机： 0.5 秒  内核正在启动"
    puppet.say(ev.Error("The system refused: Busy."), ev.Done(puppet.sent[0].id))
    assert player.moment().notice == "系统拒绝：Busy。"
    player.set_lang("en")
    assert player.moment().notice == "The system refused: Busy."


def test_an_agent_that_dies_is_said_so_and_r_begins_again_at_the_step() -> None:
    player, made = puppets()
    made[0].say(HELLO, ev.RingPlace(0, 8, 0, 64, 128), ev.RingPlace(1, 8, 256, 512, 1024), ev.Done(made[0].sent[0].id))
    player.act()
    made[0].say(ev.Step("8", "frame", "begin"), ev.Write(1, 0x40000, "00", "aa"))
    made[0].on_end(AgentLost("The agent has ended.", "signal 9"))
    assert player.error is not None and not player.busy and player.moment().notice == "The agent has ended."
    assert len(player.timeline) == 5
    player.restart()
    assert player.error is None and player.busy and made[0].closed == 1
    command = made[1].sent[0]
    assert isinstance(command, protocol.Open) and command.fork is not None
    assert command.fork.origin == "8:frame" and command.fork.image == [], "from before the step"


def test_an_agent_that_is_gone_when_spoken_to() -> None:
    player, (puppet,) = puppets()
    puppet.say(HELLO, ev.Done(puppet.sent[0].id))
    puppet.gone = True
    player.enter()
    player.answer("none")
    assert isinstance(player.error, AgentLost) and not player.busy and not player.holding


def test_what_an_old_agent_still_says_is_not_heard() -> None:
    player, made = puppets()
    made[0].say(HELLO, ev.Done(made[0].sent[0].id))
    player.fork("size2")
    made[0].say(ev.RingPlace(1, 4, 0, 0, 0))
    made[0].on_end(AgentLost("late"))
    made[0].on_progress("late")
    assert player.error is None and len(player.timeline) == 0
    made[1].say(ev.RingPlace(1, 2, 0, 0, 0), HELLO)
    assert len(player.timeline) == 1, "nothing counts before the hello"


def test_progress_is_shown_while_something_runs() -> None:
    player, (puppet,) = puppets()
    puppet.on_progress("booting")
    assert player.moment().busy == "booting" and player.moment().badge.kind not in ("kernel", "embedded")


def test_forks_say_where_they_come_from_and_what_they_change() -> None:
    player, made = puppets()
    made[0].say(HELLO, ev.RingPlace(0, 8, 0, 64, 128), ev.RingPlace(1, 8, 256, 512, 1024), ev.Done(made[0].sent[0].id))
    player.fork("forget_kick")
    assert len(made) == 1 and player.notice, "the kick has not been reached"
    player.fork("wrap")
    command = made[1].sent[0]
    assert isinstance(command, protocol.Open)
    assert (command.base, command.num, command.variant, command.fork) == (65535, 0, "wrap", None)
    assert player.moment().forked_from == "8:frame"
    made[1].on_end(AgentLost("gone"))
    player.restart()
    again = made[2].sent[0]
    assert isinstance(again, protocol.Open) and (again.base, again.variant) == (65535, "wrap")
    assert player.vary is not None and player.vary.id == "wrap" and player.origin == "8:frame"


def test_closing_is_done_once() -> None:
    player, (puppet,) = puppets()
    player.close()
    player.close()
    assert puppet.closed == 1
    player.enter()
    assert player.error is None


# -- beginning at a step ----------------------------------------------------------------------------------


def test_the_agent_is_asked_to_do_the_steps_before() -> None:
    player, made = puppets()
    player.open(3)
    command = made[1].sent[0]
    assert isinstance(command, protocol.Open) and command.at == "publish" and command.fork is None
    assert player.step.id == "publish" and player.moment().step_index == 3


def test_begun_at_a_step_and_begun_again_it_is_there_again() -> None:
    player, made = puppets()
    player.open(3)
    made[1].on_end(AgentLost("gone"))
    player.restart()
    command = made[2].sent[0]
    assert isinstance(command, protocol.Open) and command.at == "publish" and player.step.id == "publish"


def test_looking_back_before_the_first_step_done_shows_the_step_one_began_at() -> None:
    player, made = puppets()
    player.open(3)
    made[1].say(HELLO, ev.RingPlace(0, 8, 0, 64, 128), ev.RingPlace(1, 8, 256, 512, 1024), ev.Done(made[1].sent[0].id))
    player.seek(1)
    assert player.looking_back and player.moment().step == "publish"


@pytest.mark.parametrize("index", range(1, len(LESSON.step)))
def test_a_recording_is_played_to_the_step_one_begins_at(index: int) -> None:
    played = replayed()
    player = played.open(step=index)
    assert player.step.id == LESSON.step_ids[index] and player.phase == "orient"
    assert [mark.step for mark in player.timeline.marks if not mark.end] == list(LESSON.step_ids[:index])
    played.act()
    assert player.error is None and player.timeline.mark(player.step.id) is not None


@pytest.mark.requires("embedded")
@pytest.mark.parametrize("index", [1, 3, 6])
def test_a_live_run_begun_at_a_step_goes_on_as_if_from_the_first(index: int) -> None:
    with local() as played:
        player = played.open(step=index)
        assert player.timeline.marks == [] or all(mark.step not in LESSON.step_ids for mark in player.timeline.marks)
        while not player.ended:
            played.act()
            assert player.error is None, player.error
            verdicts = [check for check in player.timeline.edge.checks if not check.ok]
            assert verdicts == []
            player.next_step()
        assert player.timeline.edge.packets_out == 1


def test_who_listens_hears_of_each_step_once_what_happened_may_be_seen() -> None:
    done: list[str] = []
    played = replayed()
    played.player.on_step = lambda player: done.append(player.step.id)
    played.open()
    played.to_prediction("frame")
    played.answer("desc")
    assert done == [], "the question is still open"
    played.answer("none")
    assert done == ["frame"]
    played.player.next_step()
    played.to_end()
    assert done == list(LESSON.step_ids)
