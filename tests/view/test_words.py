"""Sentences: exact for the events of the lesson, total over every kind of payload in both languages."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.view.events_of import EVENTS
from tests.view.story import Story
from tour.i18n import Lang
from tour.trace import events as ev
from tour.trace.fold import fold, fold_all
from tour.trace.state import State
from tour.view.changes import changes
from tour.view.words import sentence

LANGS: tuple[Lang, ...] = ("en", "zh")
KINDS = get_args(ev.AnyPayload)


def told(story: Story, kind: type, lang: Lang = "en", which: int = -1, **match: Any) -> str:
    """The sentence of the last event of that kind, at the moment it happened."""
    found = [
        at for at, event in enumerate(story.timeline.events)
        if isinstance(event.data, kind) and all(getattr(event.data, key) == value for key, value in match.items())
    ]  # fmt: skip
    at = found[which]
    return sentence(story.timeline.events[at], story.timeline.at(at + 1), lang)


def test_publish_says_who_changed_what_and_that_nothing_else_did() -> None:
    story = Story().run()
    assert told(story, ev.Store, field="avail.idx", queue=1) == (
        "The driver changed avail.idx from 0 to 1: descriptor 0 now belongs to the device. Nothing else changed."
    )
    assert told(story, ev.Store, "zh", field="avail.idx", queue=1) == (
        "驱动把 avail.idx 从 0 改为 1：描述符 0 现在归设备持有。其余都没变。"
    )


def test_another_memory_looked_at_is_told_as_nobodys_writing() -> None:
    seen = ev.Event(
        seq=1,
        t=0,
        actor="control",
        source="observer",
        data=ev.Store(1, "used.flags", 0, "0100", "0000", [1], [0]),
    )
    assert sentence(seen, State(), "en") == ("At this end, TX used.flags in memory is 0; at the other end it was 1.")
    poked = msgspec.structs.replace(seen, source="control")
    assert sentence(poked, State(), "en") == "The control plane changed TX used.flags from 1 to 0."
    assert "wants kicks" in sentence(msgspec.structs.replace(seen, actor="device", source="device"), State(), "en")


def test_an_entry_ahead_of_the_index_is_not_published() -> None:
    text = told(Story().run(), ev.Store, field="avail.ring[0]", queue=1)
    assert text.startswith("The driver put descriptor number 0 into avail.ring[0].")
    assert "not published" in text


def test_wrap_is_said() -> None:
    text = told(Story(base=65535).run(), ev.Store, field="avail.idx", queue=1)
    assert "from 65535 to 0" in text
    assert "After 65535 an idx goes on at 0." in text


def test_many_heads_are_counted() -> None:
    assert "8 descriptors now belong" in told(Story(), ev.Store, field="avail.idx", queue=0)


def test_what_was_inferred_begins_with_a_tilde_and_names_what_changed() -> None:
    text = told(Story("kernel").run(), ev.Snapshot)
    assert text.startswith("~ Seen between two looks at the TX queue: ")
    assert "used.ring[0] became head 0, length 0, used.idx became 1." in text
    assert "flags" not in text


def test_own_device_is_told_exactly() -> None:
    text = told(Story("embedded").run(), ev.Store, field="used.idx", queue=1)
    assert text.startswith("The device changed used.idx from 0 to 1: descriptor 0 now belongs to the driver.")


def test_nothing_else_is_claimed_only_of_the_last_event() -> None:
    story = Story().run()
    event = next(e for e in story.timeline.events if isinstance(e.data, ev.Store) and e.data.field == "avail.idx")
    assert "Nothing else" not in sentence(event, story.timeline.edge, "en")


def test_a_kick_carries_no_data() -> None:
    assert told(Story().run(), ev.Kick) == (
        "The driver kicked: it wrote 1 to eventfd 9 of the TX queue; its counter is now 1. A kick carries no data."
    )


def test_changes_of_a_step_in_one_sentence() -> None:
    story = Story().run(until="publish")
    before = story.timeline.edge
    story.step("publish")
    assert changes(before, story.timeline.edge, "en") == "Changed in this step: tx.avail.idx 0 to 1."
    assert changes(before, before, "zh") != ""


def test_rows_of_a_listing_are_counted_not_told_as_a_value() -> None:
    before = Story().run(until="publish").timeline.edge
    after = fold(before, ev.Event(before.seq + 1, 0, "tour", "observer", ev.Listing("table", [["0"], ["1"]])))
    assert changes(before, after, "en") == "Changed in this step: listing.table (2 rows)."
    assert "2 行" in changes(before, after, "zh")


def test_an_address_is_hexadecimal_however_low() -> None:
    before = Story().run(until="publish").timeline.edge
    told = {"index": 1, "desc": 0x1000, "avail": 0x1080, "used": 0x1098}
    after = fold(
        before, ev.Event(before.seq + 1, 0, "control", "control", ev.Ioctl("VHOST_SET_VRING_ADDR", 1, 7, told, "", 0))
    )
    assert "TX avail (told)" in changes(before, after, "en") and "to 0x1080" in changes(before, after, "en")
    assert "tx.addr" not in changes(before, after, "zh")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_has_a_sentence_in_both_languages(kind: type, lang: Lang) -> None:
    story = Story().run()
    data = next((event.data for event in story.timeline.events if isinstance(event.data, kind)), None)
    data = data or EVENTS[kind.__name__]
    for inferred in (False, True):
        text = sentence(ev.Event(1, 1, "device", "observer", data, inferred), story.timeline.edge, lang)
        assert text.startswith("~ ") is inferred
        assert len(text) > 4
        assert "{" not in text.replace("{index", "").replace("{regions", "").replace("{gpa", "") or lang


@given(st.data())
@pytest.mark.parametrize("lang", LANGS)
def test_a_store_of_any_shape_has_a_sentence(lang: Lang, data: st.DataObject) -> None:
    names = ["desc[9]", "avail.idx", "avail.ring[3]", "used.ring[x]", "used.idx", "odd", "["]
    field = data.draw(st.sampled_from(names))
    numbers = st.lists(st.integers(-1, 1 << 64), max_size=5)
    store = ev.Store(data.draw(st.integers(-1, 3)), field, 0, "", "", data.draw(numbers), data.draw(numbers))
    assert sentence(ev.Event(0, 0, "driver", "driver", store), State(), lang)


@pytest.mark.parametrize(("net", "place"), [("tap", "the tap"), ("socketpair", "the socketpair")])
def test_a_frame_is_seen_where_there_is_something_to_see_it(net: str, place: str) -> None:
    hello = ev.Event(0, 0, "tour", "tour", ev.Hello(1, 1, "x", "embedded", "6.1", net, "8", "now"))
    frame = ev.Event(1, 0, "network", "observer", ev.Packet("out", "tap", "00" * 42))
    assert f"seen at {place}." in sentence(frame, fold_all([hello, frame]), "en")
