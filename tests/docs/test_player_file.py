"""What the player draws is what the state says: every event of every lesson's recording, in both languages."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tour.agent.moments import played
from tour.docsgen.player.deltas import apply, delta
from tour.docsgen.player.file import FORMAT, player_file
from tour.docsgen.player.queue import SLOTS
from tour.docsgen.player.site import write_player
from tour.i18n import Lang
from tour.lesson.course import course
from tour.lesson.model import load
from tour.trace import store
from tour.trace.events import Event
from tour.trace.fold import fold
from tour.trace.state import Ring, State
from tour.view.themes import THEMES
from tour.view.words import sentence

LESSONS = [entry.id for entry in course().ready]
each_lesson = pytest.mark.parametrize("lesson", LESSONS)
each_lang = pytest.mark.parametrize("lang", get_args(Lang))


@cache
def recorded(lesson: str) -> store.Recording:
    return store.load(load(lesson).recording_path())


@cache
def made(lesson: str, lang: Lang) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(player_file(recorded(lesson), load(lesson), lang))
    return found


def walked(film: dict[str, Any], events: tuple[Event, ...]) -> Iterator[tuple[int, Any, State]]:
    """Position, what the player draws there, and the state, folded apart from it. What is drawn changes underfoot."""
    still, state = copy.deepcopy(film["first"]), State()
    yield 0, still, state
    for position, (event, changes) in enumerate(zip(events, film["deltas"], strict=True), 1):
        still, state = apply(still, changes), fold(state, event)
        yield position, still, state


@each_lang
@each_lesson
def test_every_still_says_what_the_state_says(lesson: str, lang: Lang) -> None:
    film = made(lesson, lang)
    for _, still, state in walked(film, recorded(lesson).events):
        for drawn, ring in zip(still["queues"], (state.tx, state.rx), strict=True):
            assert_queue(drawn, ring, state)
        assert still["step"] == state.step and still["ended"] == state.ended
        assert {name: tuple(of) for name, of in still["checks"].items()} == {
            check.id: (check.ok, check.actual) for check in state.checks
        }
        assert len(still["figures"]["numbers"]) == len(state.figures)
        assert sum(len(plot["points"]) for plot in still["plot"]) == sum(len(of) for of in state.plots.values())
        assert (still["guest"] is None) == (state.cpu is None)
        assert [bit for bit, *_ in still["features"] if still["features"]] == sorted(bits(state))
        if state.cpu:
            assert still["guest"]["next"] == state.cpu.ip
        assert bool(still["packet"]["bytes"]) == bool(state.buffers or state.frames)


def bits(state: State) -> set[int]:
    words = (state.offered, state.device_features, state.driver_features, state.features)
    return {bit for word in words if word for bit in range(64) if word >> bit & 1}


def assert_queue(drawn: dict[str, Any], ring: Ring, state: State) -> None:
    assert (drawn["name"], drawn["num"]) == (ring.name.upper(), ring.num)
    if not ring.num:
        return
    assert (drawn["avail"]["idx"], drawn["used"]["idx"]) == (ring.avail_idx, ring.used_idx)
    assert drawn["avail"]["write"] == ring.avail_idx % ring.num
    assert drawn["used"]["read"] == ring.last_used_idx % ring.num
    assert len(drawn["avail"]["slots"]) == min(ring.num, SLOTS)
    assert [head for _, head, *_ in drawn["avail"]["slots"]] == [
        ring.avail_ring[s] for s, *_ in drawn["avail"]["slots"]
    ]
    used = [ring.used_ring[slot] for slot, *_ in drawn["used"]["slots"]]
    assert [head for _, head, *_ in drawn["used"]["slots"]] == [entry and entry[0] for entry in used]
    assert bool(drawn["broken"]) == bool(ring.broken)
    for which, key in (("avail", "avail.idx"), ("used", "used.idx")):
        now, step = (f"{ring.name}.{key}" in keys for keys in (state.changed, state.step_changed))
        assert drawn[which]["lit"] == ("now" if now else "step" if step else "")
    assert_table(drawn["desc"], ring)


def assert_table(rows: list[Any], ring: Ring) -> None:
    """Each row's descriptors are held by whom the row says; a row of one says its address and length."""
    assert [first for first, *_ in rows] == [0, *(last + 1 for _, last, *_ in rows[:-1])]
    assert rows[-1][1] == ring.num - 1
    for first, last, _, gpa, length, _, holder, *_ in rows:
        assert {ring.holder(index) for index in range(first, last + 1)} == {holder}
        entry = ring.desc[first]
        if holder != "free" and first == last:
            assert entry is not None and (gpa, length) == (f"{entry[0]:#x}", entry[1])


@each_lang
@each_lesson
def test_what_is_said_of_each_event_is_what_the_terminal_says(lesson: str, lang: Lang) -> None:
    film, state = made(lesson, lang), State()
    for event, told in zip(recorded(lesson).events, film["events"], strict=True):
        state = fold(state, event)
        assert told[:2] == [event.actor, sentence(event, state, lang) if state.last is event else ""]


@each_lang
@each_lesson
def test_steps_ask_what_the_lesson_asks_and_answer_what_came_true(lesson: str, lang: Lang) -> None:
    film, text = made(lesson, lang), load(lesson)
    assert film["format"] == FORMAT and film["whole"] and film["badge"].startswith("REPLAY" if lang == "en" else "回放")
    assert [step["id"] for step in film["steps"]] == [step.id for step in text.step]
    for player, step in zip(played(text, recorded(lesson), lang), film["steps"], strict=True):
        spec, asked = player.step, step["asks"]
        assert 0 < step["begin"] < step["end"] <= len(film["deltas"])
        assert (asked is None) == (spec.predict is None)
        if spec.predict and player.prediction:
            player.prediction.settle(player.before, player.timeline.edge)
            assert spec.predict.choice[asked["right"]].id == player.prediction.right
    ends = {step["end"]: step for step in film["steps"]}
    for position, still, _ in walked(film, recorded(lesson).events):
        if position in ends:
            assert [check for check, _ in ends.pop(position)["checks"]] == list(still["checks"])
    assert not ends


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_a_delta_leads_from_any_value_to_any_other(before: Any, after: Any) -> None:
    kept = copy.deepcopy(before)
    assert apply(copy.deepcopy(before), delta(before, after)) == after
    assert before == kept


def test_colours_are_the_terminals(tmp_path: Path) -> None:
    write_player(tmp_path)
    css = (tmp_path / "colours.css").read_text()
    light, dark = css.split("[data-md-color-scheme=slate]")
    for text, theme in ((light, THEMES["light"]), (dark, THEMES["dark"])):
        assert all(f"--vt-{name}: {colour};" in text for name, colour in theme.colours.items())
