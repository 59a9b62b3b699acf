"""The player as a state machine, with a recording of the real kernel in the agent's place."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.agent.playing import Played, replayed
from tests.trace.recordings import events
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
