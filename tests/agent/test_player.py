"""The player as a state machine, with a recording of the real kernel in the agent's place."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.agent.playing import Played, replayed
from tests.trace.recordings import HELLO, events
from tour.agent import protocol
from tour.agent.player import Player
from tour.agent.session import OnEnd, OnEvent, OnProgress
from tour.errors import AgentLost, CapabilityMissing, TourError
from tour.i18n import Lang
from tour.lesson import model
from tour.lesson.moment import Moment
from tour.lesson.prediction import MAX_TRIES
from tour.trace import events as ev

LESSON = model.load("8")
RIGHT = {
    "frame": "none", "describe": "gpa", "entry": "none", "publish": "avail_idx", "kick": "len0", "call": "call",
    "reap": "last_used_idx",
}  # fmt: skip
STEPS = tuple(RIGHT)


def at(step: str, lang: Lang = "en") -> Played:
    played = replayed(lang=lang)
    played.open()
    played.to_prediction(step)
    return played


def wrong(step: str) -> list[str]:
    predict = next(spec for spec in LESSON.step if spec.id == step).predict
    assert predict is not None
    return [choice.id for choice in predict.choice if choice.id != RIGHT[step]]


# -- the phases -------------------------------------------------------------------------------------------


def test_a_step_goes_through_its_phases_and_on_to_the_next() -> None:
    played = replayed()
    player = played.open()
    phases = []
    for _ in range(2):
        phases.append((player.step.id, player.moment().phase))
        player.enter()
        phases.append((player.step.id, player.moment().phase))
        played.answer(RIGHT[player.step.id])
        for _ in range(3):
            phases.append((player.step.id, player.moment().phase))
            player.enter()
    each = ["orient", "predict", "observe", "explain", "check"]
    assert phases == [("frame", phase) for phase in each] + [("describe", phase) for phase in each]


def test_enter_at_the_question_does_it_without_a_guess() -> None:
    played = at("publish")
    played.player.enter()
    played.settle()
    assert played.player.phase == "observe" and played.player.moment().prediction is None


def test_the_lesson_ends_after_its_last_step() -> None:
    played = replayed()
    player = played.open()
    assert played.to_end() == list(RIGHT.items())
    assert player.ended and player.moment().ended


def test_the_first_minutes_are_six_presses() -> None:
    played = replayed("0")
    player = played.open()
    for _ in range(6):
        while player.phase != "orient":
            player.enter()
        player.enter()
        played.settle()
    assert player.index + 1 == len(player.lesson.step) and player.phase == "observe"


def test_enter_does_nothing_while_something_runs() -> None:
    played = replayed()
    played.player.open()
    before = played.player.phase
    played.player.enter()
    assert played.player.phase == before and played.player.busy
    played.settle()


# -- nothing of the future --------------------------------------------------------------------------------


def bare(moment: Moment) -> Moment:
    """A moment without what may change while a question is open: the tries themselves and what Enter does."""
    return replace(moment, prediction=None, next_text="", notice="", busy="")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("step", STEPS)
def test_an_open_question_shows_nothing_of_what_happened(step: str, lang: Lang) -> None:
    played = at(step, lang)
    player = played.player
    asked = player.moment()
    length = len(player.timeline)
    assert asked.next_code == "" and asked.refs == () and asked.more == "" and asked.checks == ()
    player.answer(wrong(step)[0])
    while_running = player.moment()
    played.settle()
    assert len(player.timeline) > length, "it has happened"
    after = player.moment()
    if player.prediction is not None and player.prediction.settled:
        pytest.skip("two choices: there is nothing left to ask")
    for moment in (while_running, after):
        assert bare(moment) == bare(asked)
        assert moment.timeline.at_edge and moment.timeline.length == length
    assert after.prediction is not None and not after.prediction.settled
    assert all(choice.right is None for choice in after.prediction.choices)
    assert after.prediction.refutations == ()
    assert [choice.id for choice in after.prediction.choices if choice.struck] == [wrong(step)[0]]


@pytest.mark.parametrize("key", ["back", "forward", "seek", "live", "enter"])
def test_no_key_lifts_the_curtain(key: str) -> None:
    played = at("kick")
    player = played.player
    asked = bare(player.moment())
    played.answer("len54")
    keys: dict[str, Callable[[], None]] = {
        "back": player.back, "forward": player.forward, "seek": lambda: player.seek(len(player.timeline) - 1),
        "live": player.live, "enter": player.enter,
    }  # fmt: skip
    for _ in range(3):
        keys[key]()
    assert bare(player.moment()) == asked


# -- predictions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_right_at_once(step: str) -> None:
    played = at(step)
    played.answer(RIGHT[step])
    view = played.player.moment().prediction
    assert view is not None and view.settled and view.first_time and view.tries == 1
    assert [choice.id for choice in view.choices if choice.right] == [RIGHT[step]]
    assert view.refutations == ()


@pytest.mark.parametrize("step", STEPS)
def test_wrong_then_right(step: str) -> None:
    played = at(step)
    played.answer(wrong(step)[0])
    played.answer(RIGHT[step])
    view = played.player.moment().prediction
    assert view is not None and view.settled and not view.first_time and view.tries == 2
    assert len(view.refutations) == 1 and played.player.phase == "observe"


@pytest.mark.parametrize("step", STEPS)
def test_after_two_retries_or_when_one_choice_is_left_it_is_revealed(step: str) -> None:
    played = at(step)
    tries = 0
    for choice in wrong(step):
        played.answer(choice)
        tries += 1
        view = played.player.moment().prediction
        assert view is not None
        if view.settled:
            break
    assert tries == min(MAX_TRIES, len(wrong(step)))
    assert view is not None and view.settled and not view.first_time
    assert [choice.id for choice in view.choices if choice.right] == [RIGHT[step]]
    assert {choice.id for choice in view.choices if choice.struck} == set(wrong(step)[:tries])


def test_a_struck_choice_cannot_be_taken_again_nor_one_that_is_none() -> None:
    played = at("kick")
    played.answer("len54")
    for choice in ("len54", "no such", ""):
        played.answer(choice)
    assert played.player.prediction is not None and played.player.prediction.taken == ["len54"]


def test_no_answer_counts_before_the_question_or_after_it() -> None:
    played = replayed()
    player = played.open()
    player.answer("none")
    assert player.phase == "orient" and not player.busy
    player.enter()
    played.answer("none")
    played.answer("desc")
    assert player.prediction is not None and player.prediction.taken == ["none"]


# -- looking back -----------------------------------------------------------------------------------------


def test_looking_back_shows_the_past_and_moves_nothing() -> None:
    played = at("call")
    player = played.player
    edge, stops = len(player.timeline), []
    for _ in range(200):
        player.back()
        moment = player.moment()
        stops.append(moment.timeline.position)
        assert moment.state == player.timeline.at(moment.timeline.position)
        assert moment.badge.kind == "back" and moment.badge.into == "replay" and moment.prediction is None
        assert moment.step != "call" or moment.checks == ()
        if moment.timeline.position == 0:
            break
    assert stops == sorted(stops, reverse=True) and stops[-1] == 0 and len(stops) > 20
    player.enter()
    assert not player.busy and player.notice and len(player.timeline) == edge
    player.answer("call")
    assert not player.busy and player.prediction is not None and player.prediction.taken == []
    player.live()
    assert player.moment().timeline.at_edge and player.moment().badge.kind == "replay"


def test_forwards_and_backwards_meet_at_the_same_places() -> None:
    player = at("reap").player
    down = []
    while (player.back(), player.moment().timeline.position)[1]:
        down.append(player.moment().timeline.position)
    up = []
    while player.looking_back:
        player.forward()
        up.append(player.moment().timeline.position)
    assert up[-1] == len(player.timeline) and up[:-1] == down[::-1][: len(up) - 1]


def test_the_step_shown_is_the_one_the_event_belongs_to() -> None:
    player = at("reap").player
    for step in STEPS[:-1]:
        mark = player.timeline.mark(step)
        assert mark is not None
        player.seek(mark.position + 1)
        assert player.moment().step == step and player.moment().phase == "observe"
    player.seek(1)
    assert player.moment().step_index == 0


def test_marks_of_steps_nobody_knows_are_passed_over() -> None:
    player = replayed().open()
    player.take(events(ev.Step("8", "elsewhere", "begin"))[0])
    player.take(events(ev.Kick(1, 9, 1))[0])
    player.seek(len(player.timeline) - 1)
    assert player.moment().step_index == 0


def test_looking_back_while_a_step_without_a_question_runs() -> None:
    played = replayed("0")
    player = played.open()
    player.enter()
    assert player.busy
    player.back()
    assert player.looking_back and not player.holding
    played.settle()
    assert player.moment().timeline.at_edge and player.phase == "observe"


# -- sessions that misbehave ------------------------------------------------------------------------------


class Puppet:
    """A session whose every word is the test's."""

    kind = "live"

    def __init__(self) -> None:
        self.sent: list[protocol.AnyCommand] = []
        self.gone = False
        self.closed = 0

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        self.on_event, self.on_end, self.on_progress = on_event, on_end, on_progress

    def send(self, command: protocol.AnyCommand) -> None:
        if self.gone:
            raise AgentLost("The agent has ended.", "killed")
        self.sent.append(command)

    def close(self) -> None:
        self.closed += 1

    def say(self, *payloads: ev.AnyPayload) -> None:
        for event in events(*payloads):
            self.on_event(event)


def puppets() -> tuple[Player, list[Puppet]]:
    made: list[Puppet] = []

    def connect(command: protocol.Open) -> Puppet:
        made.append(Puppet())
        return made[-1]

    player = Player(LESSON, "en", connect)
    player.mailbox.attach(player.hear)
    player.open()
    return player, made


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


def test_every_moment_of_every_phase_can_be_made_in_both_languages() -> None:
    played = replayed()
    player = played.open()
    count = 0
    while not player.ended:
        for lang in ("en", "zh"):
            player.set_lang(lang)  # type: ignore[arg-type]
            moment = player.moment()
            assert moment.title and moment.next_text and moment.lang == lang
            assert moment.text or moment.phase in ("do", "observe")
            count += 1
        if player.phase == "predict":
            played.answer(RIGHT[player.step.id])
        else:
            player.enter()
    assert count == 2 * 5 * 7


def test_choices_keep_their_order() -> None:
    for step, (one, other) in itertools.product(STEPS[:2], [("en", "zh")]):
        views = [at(step, lang).player.moment().prediction for lang in (one, other)]  # type: ignore[arg-type]
        assert views[0] is not None and views[1] is not None
        assert [choice.id for choice in views[0].choices] == [choice.id for choice in views[1].choices]
