"""One prediction: choices, tries, and the answer computed from what happened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trace.recordings import events
from tour.lesson.model import Choice, Predict, Text
from tour.lesson.prediction import MAX_TRIES, Prediction, right_choice
from tour.trace import events as ev
from tour.trace.fold import fold_all
from tour.trace.state import State

PLACE = ev.RingPlace(1, 8, 0x1000, 0x1100, 0x1200)
BEFORE = fold_all(events(PLACE))
AFTER = fold_all(events(ev.Store(1, "avail.idx", 0, "", "", [0], [1])), BEFORE)


def choice(name: str, *when: str) -> Choice:
    return Choice(name, Text(name, name), list(when))


AVAIL = choice("avail", "changed tx.avail.idx")
USED = choice("used", "changed tx.used.idx")
KICK = choice("kick", "changed tx.kick.count")
CALL = choice("call", "changed tx.call.count")
NONE = choice("none", "unchanged tx.avail.idx", "unchanged tx.used.idx")


def asked(*choices: Choice) -> Prediction:
    return Prediction(Predict(Text("?", "？"), list(choices)))


@pytest.mark.parametrize(
    ("choices", "after", "right"),
    [
        ([AVAIL, USED], AFTER, "avail"),
        ([AVAIL, USED, NONE], BEFORE, "none"),
        ([USED, KICK], AFTER, ""),
        ([AVAIL, choice("too", "tx.avail.idx == 1")], AFTER, ""),
        ([choice("half", "changed tx.avail.idx", "changed tx.used.idx"), AVAIL], AFTER, "avail"),
    ],
    ids=["one", "nothing moved", "none true", "two true", "all its predicates"],
)
def test_the_right_choice_is_the_only_one_that_came_true(choices: list[Choice], after: State, right: str) -> None:
    assert right_choice(choices, BEFORE, after) == right


def test_right_at_once() -> None:
    prediction = asked(USED, AVAIL, KICK)
    assert not prediction.first_time
    assert prediction.choose("avail") and prediction.settle(BEFORE, AFTER)
    assert prediction.settled and prediction.first_time and prediction.right == "avail"


def test_wrong_is_struck_and_two_retries_follow() -> None:
    prediction = asked(USED, KICK, CALL, AVAIL, NONE)
    for number, wrong in enumerate(("used", "kick", "call"), 1):
        assert prediction.choose(wrong)
        assert prediction.settle(BEFORE, AFTER) == (number == MAX_TRIES)
    assert prediction.taken == ["used", "kick", "call"] and not prediction.first_time


def test_when_one_choice_is_left_it_is_revealed() -> None:
    prediction = asked(USED, KICK, AVAIL)
    prediction.choose("used")
    assert not prediction.settle(BEFORE, AFTER)
    prediction.choose("kick")
    assert prediction.settle(BEFORE, AFTER) and prediction.right == "avail"


def test_without_one_true_choice_nothing_is_claimed() -> None:
    prediction = asked(USED, KICK)
    prediction.choose("used")
    assert prediction.settle(BEFORE, AFTER) and prediction.right == "" and not prediction.first_time


def test_settled_without_a_guess_when_none_was_made() -> None:
    assert asked(USED, AVAIL).settle(BEFORE, AFTER)


def test_no_choice_twice_none_unknown_none_after_the_end() -> None:
    prediction = asked(USED, KICK, CALL, AVAIL)
    assert not prediction.choose("nothing of the kind")
    assert prediction.choose("used") and not prediction.choose("used")
    prediction.settle(BEFORE, AFTER)
    prediction.choose("avail")
    prediction.settle(BEFORE, AFTER)
    assert prediction.settled and not prediction.choose("kick")


@given(st.permutations(["used", "kick", "call", "none", "avail"]))
def test_any_order_of_guesses_ends_settled_with_the_truth(order: list[str]) -> None:
    prediction = asked(USED, KICK, CALL, NONE, AVAIL)
    for guess in order:
        if not prediction.choose(guess):
            break
        if prediction.settle(BEFORE, AFTER):
            break
    assert prediction.settled and prediction.right == "avail"
    assert len(prediction.taken) == min(order.index("avail") + 1, MAX_TRIES)
    assert prediction.first_time == (order[0] == "avail")
