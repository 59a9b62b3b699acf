"""The picture of a foreign guest, kept as text and asked what it claims. ``TOUR_GOLDEN=write`` draws anew."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.view.watched import MS, Stream, busy
from tour.agent.watch_moment import WatchMoment
from tour.i18n import Lang
from tour.trace import events as ev
from tour.view.canvas import width_of
from tour.view.ui import Ui
from tour.view.watch import silence
from tour.view.watch.descriptors import lines as descriptor_lines
from tour.view.watch.distance import distance, part
from tour.view.watch.look import PANELS, Look, amount, bits, brief
from tour.view.watch.screen import compose
from tour.view.watch.words import lines

FOLDER = Path(__file__).parent / "golden"


def live(moment: WatchMoment) -> WatchMoment:
    return replace(moment, mode="live", replay=False, cpu=3.2, paints=9.0)


def held() -> WatchMoment:
    stream = busy()
    stream.look(published=1, taken=0, held=True, avail_event=7, used_event=9).look(returned=1, taken=0, held=True)
    return live(stream.seen().moment())


def broken(lang: Lang) -> WatchMoment:
    stream = busy()
    stream.tell(ev.Broken(1, "descriptor points outside guest memory", "quarantine"))
    return live(stream.seen(lang).moment())


def outside(lang: Lang) -> WatchMoment:
    stream = Stream(1024, by="qmp", begin=900)
    for _ in range(30):
        stream.look(published=40, returned=40, after=50 * MS)
    return live(stream.seen(lang).moment())


def back() -> WatchMoment:
    spectator = busy().seen()
    spectator.replay = False
    spectator.seconds(-0.5)
    return spectator.moment(cpu=3.2, paints=9.0)


DRAWINGS: dict[str, tuple[WatchMoment, Ui, int, int]] = {
    "watch_live_80_en": (live(busy().seen().moment()), Ui(), 80, 24),
    "watch_live_80_zh": (live(busy().seen("zh").moment()), Ui(panel="lane"), 80, 24),
    "watch_live_160_en": (live(busy().seen().moment()), Ui(), 160, 48),
    "watch_live_160_zh": (live(busy(1024).seen("zh").moment()), Ui(), 160, 48),
    "watch_held_80_ascii": (held(), Ui(glyphs="ascii"), 80, 24),
    "watch_broken_80_zh": (broken("zh"), Ui(panel="messages"), 80, 24),
    "watch_outside_80_en": (outside("en"), Ui(panel="memory"), 80, 24),
    "watch_outside_160_zh": (outside("zh"), Ui(), 160, 48),
    "watch_back_120_en": (back(), Ui(panel="descriptors"), 100, 30),
    "watch_replay_80_en": (busy().seen().moment(), Ui(panel="packet"), 80, 24),
    "watch_nobody_80_en": (live(Stream().seen().moment()), Ui(), 80, 24),
}  # fmt: skip


def drawn(moment: WatchMoment, ui: Ui = Ui(), width: int = 80, height: int = 24) -> str:  # noqa: B008 - frozen
    return str(compose(moment, ui, width, height))


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_screen_is_drawn_as_kept(name: str) -> None:
    text = drawn(*DRAWINGS[name])
    path = FOLDER / f"{name}.txt"
    if os.environ.get("TOUR_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_ascii_drawing_has_no_other_glyph() -> None:
    assert drawn(*DRAWINGS["watch_held_80_ascii"]).isascii()


@cache
def eight(lang: Lang) -> WatchMoment:
    return live(busy(1024, 8).seen(lang).moment())


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("size", [(80, 24), (118, 30), (160, 48), (230, 60), (79, 24)])
def test_every_row_has_exactly_the_width(size: tuple[int, int], panel: str, lang: Lang) -> None:
    canvas = compose(eight(lang), Ui(panel=panel), *size)
    assert {sum(width_of(span.text) for span in row) for row in canvas.rows()} == {size[0]}


# what is said is so


@pytest.mark.parametrize(
    ("words", "kick", "call"),
    [
        ({"used_flags": 1, "avail_flags": 1}, "asked for no kicks (used.flags 1)", "no calls (avail.flags 1)"),
        ({}, "a kick at each publishing (used.flags 0)", "a call at each return (avail.flags 0)"),
        ({"avail_event": 104, "used_event": 60}, "avail.idx passes 104: 5 more", "used.idx passes 60: 11 more"),
        ({"avail_event": 100, "used_event": 50}, "avail.idx passes 100: 1 more", "used.idx passes 50: 1 more"),
        ({"avail_event": 99, "used_event": 20}, "avail_event 99: it is passed", "used_event 20: it is passed"),
    ],
)  # fmt: skip
def test_suppression_in_one_sentence(words: dict[str, int], kick: str, call: str) -> None:
    moment = Stream().look(published=100, returned=50, **words).seen().moment()
    look = Look(moment, Ui(), wide=False)
    assert kick in silence.kicks(look) and call in silence.calls(look)


@pytest.mark.parametrize("begin", [0, 65400, 65535])
def test_distances_and_turns_hold_across_the_wrap(begin: int) -> None:
    sample = Stream(begin=begin).look(published=100, returned=50, taken=20).seen().moment().watched.sample
    assert sample is not None
    far = distance(sample)
    assert (far.waiting, far.work, far.open, far.sound) == (30, 20, 50, True)
    kinds = [part(sample, (begin + n) % 256) for n in range(40, 110)]
    assert kinds == ["free"] * 10 + ["work"] * 20 + ["waiting"] * 30 + ["free"] * 10


def test_indices_that_contradict_are_marked() -> None:
    sample = Stream(8).look(published=4, avail_idx=900).seen().moment().watched.sample
    assert sample is not None and not distance(sample).sound


def test_the_slot_is_said_where_it_differs_from_the_index() -> None:
    text = drawn(live(Stream(begin=300).look().seen().moment()))
    assert "avail.idx    300 slot 44" in text and "slot = idx mod 256" in text
    assert "slot = idx" not in drawn(live(Stream().look(published=9).seen().moment()))


def test_slots_that_were_never_published_are_not_shown() -> None:
    text = drawn(live(Stream().look(published=3, returned=2, taken=0).seen().moment()))
    assert "[0]   [1]   [2]\n" in "\n".join(line.rstrip(" │") for line in text.splitlines()) + "\n"


def test_chains_are_followed_from_their_heads_and_a_loop_ends() -> None:
    table = [[4, 0x1000, 12, 1, 5], [5, 0x2000, 60, 1, 4]]
    moment = Stream(8).look(published=2, avail=[[0, 4], [1, 7]], desc=table).seen().moment()
    assert moment.watched.sample is not None
    assert [(slot, index) for slot, index, _, _ in descriptor_lines(moment.watched.sample)] == [("0", 4), ("", 5)]


def test_a_broken_ring_says_so_and_why_in_front_and_in_the_list() -> None:
    text = drawn(broken("en"), Ui(panel="packet"))
    assert "BROKEN(descriptor points outside guest memory)" in text and " TX BROKEN " in text


def test_a_held_worker_says_that_the_guest_waits() -> None:
    text = drawn(held())
    assert "HELD: the guest waits" in text and "Enter release one" in text and "LIVE" in text


@pytest.mark.parametrize(
    ("mode", "words"),
    [("live", "LIVE  our device, C engine"), ("paused", "PAUSED  the guest runs on"), ("back", "LOOKING BACK"),
     ("ended", "ENDED")],
)  # fmt: skip
def test_one_badge_is_always_there(mode: str, words: str) -> None:
    assert words in drawn(replace(live(busy().seen().moment()), mode=mode))


def test_a_foreign_device_is_called_what_it_is_and_nothing_of_it_is_made_up() -> None:
    text = drawn(outside("en"), Ui(panel="packet"))
    assert "LIVE  vhost-net of QEMU, pid 4711" in text and "only its rings are read" in text
    assert "chains/s ~800" in text and "packets/s -" in text and "kicks/s -" in text
    assert "slow motion" not in text


def test_what_was_refused_says_why() -> None:
    stream = Stream()
    message = ev.Message("VHOST_USER_SET_VRING_NUM", 8, 1, {"index": 0, "num": 3}, "", 0, -1, errno="EINVAL")
    stream.tell(message, actor="control")
    assert "SET_VRING_NUM {index 0, num 3}  REFUSED: EINVAL" in drawn(stream.seen().moment(), Ui(panel="messages"))


def test_many_queues_the_chosen_one_always_among_those_listed() -> None:
    stream = Stream(queues=128)
    for queue in range(128):
        stream.look(queue, after=1)
    spectator = stream.seen()
    spectator.choose(101)
    assert "TX50" in drawn(spectator.moment()).splitlines()[1]
    spectator.choose(128)
    assert spectator.queue == 0


def test_the_plain_line_says_the_same() -> None:
    rx, tx = lines(live(busy().seen().moment()))
    assert "TX" in tx and "packets/s" in tx and "waiting" in tx and "no calls until used.idx passes" in tx
    assert all(len(line.splitlines()) == 1 for line in (rx, tx))
    assert "BROKEN" in lines(broken("zh"))[1]


@pytest.mark.parametrize(
    ("number", "full", "short"),
    [(None, "-", "-"), (0, "0", "0"), (7, "7", "7"), (0.25, "0.2", "0.2"), (812345, "812,345", "812k"),
     (13753, "13,753", "13.8k"), (1.234e6, "1.23M", "1.23M")],
)  # fmt: skip
def test_numbers(number: float | None, full: str, short: str) -> None:
    assert (amount(number), brief(number)) == (full, short)


def test_bits() -> None:
    assert [bits(n) for n in (None, 800, 83.5e6, 9.41e9)] == ["-", "800 b/s", "83.5 Mb/s", "9.41 Gb/s"]


WORD = st.integers(0, 0xFFFF)


@settings(max_examples=60, deadline=None)
@given(
    num=st.sampled_from([1, 2, 8, 256, 1024, 32768]), avail=WORD, used=WORD, last=st.none() | WORD,
    events=st.none() | WORD, size=st.sampled_from([(80, 24), (160, 48)]), panel=st.sampled_from(PANELS),
)  # fmt: skip
def test_any_ring_can_be_drawn(
    num: int, avail: int, used: int, last: int | None, events: int | None, size: tuple[int, int], panel: str
) -> None:
    stream = Stream(num).look(
        avail_idx=avail, used_idx=used, last_avail_idx=last, used_event=events, avail_event=events, steady=False
    )
    assert drawn(live(stream.seen().moment()), Ui(panel=panel), *size)
