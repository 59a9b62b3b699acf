"""One line, one order: every verb can be read, taught and completed; what is none says what may stand there."""

from __future__ import annotations

import pytest

from tour.errors import UsageError
from tour.i18n import Lang, strings
from tour.lesson import sandbox
from tour.lesson.orders import BY_NAME, FAULTS, SIDES, VERBS, Verb, completions, read
from tour.trace import events as ev
from tour.virtqueue.faults import DeviceFault, DriverFault


def sample(verb: Verb) -> str:
    """A line with every word of that verb."""
    words = [param.one_of[0] if param.one_of else "desc[0].addr" if param.text else "3" for param in verb.params]
    return " ".join((verb.name, *words))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_is_read_with_all_its_words_and_taught_in_both_languages(verb: Verb) -> None:
    order = read(sample(verb))
    assert order.verb == verb.name and set(order.words) == {param.name for param in verb.params}
    langs: tuple[Lang, Lang] = ("en", "zh")
    assert all(sandbox.teach(lang, verb.name) for lang in langs) and verb.side in SIDES
    least = [param for param in verb.params if param.default is None]
    if least:
        with pytest.raises(UsageError, match="A word is missing"):
            read(verb.name)


def test_words_of_a_set_come_in_any_order_and_numbers_in_theirs() -> None:
    assert read("kick always rx") == read("KICK rx  always")
    order = read("describe 0x40000 64 rx")
    assert (order.number("gpa"), order.number("len"), order.queue) == (0x40000, 64, 0)
    assert read("publish").queue == 1
    assert read("notify").verb == "kick"


@pytest.mark.parametrize(
    "line", ["", "frob", "publish 3", "kick maybe", "poke ../../etc 3", "base 0x1ffffffffffffffff", "publish tx rx tx"]
)
def test_what_is_no_order_is_refused_with_what_may_stand_there(line: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(line)
    assert refused.value.why


def test_completion() -> None:
    assert completions("") == list(BY_NAME)
    assert completions("pu") == ["publish"]
    assert completions("fault kick") == ["kick-equality", "kick-barrier", "kick-flags"]
    assert completions("publish tx") == ["tx"] and completions("nothing ") == []


def test_the_switches_are_those_there_are_and_each_is_explained() -> None:
    assert set(FAULTS) == {fault.value for fault in (*DriverFault, *DeviceFault)}
    keys = {f"sandbox.fault.{name.replace('-', '_')}" for name in FAULTS}
    assert keys <= set(strings("en"))


def test_a_recording_s_orders_are_its_steps_and_a_stranger_s_words_are_none() -> None:
    def begun(*names: str) -> list[ev.Event]:
        return [ev.Event(n, n, "tour", "tour", ev.Step(sandbox.SANDBOX, name, "begin")) for n, name in enumerate(names)]

    lesson = sandbox.of_recording(begun("1 write", "2 kick rx"))
    assert lesson.step_ids == ("1 write", "2 kick rx") and lesson.step[1].show == "rx"
    for bad in ((), ("1 ../../etc",), ("1 frob",)):
        with pytest.raises(UsageError):
            sandbox.of_recording(begun(*bad))
