"""Panels of the control plane: what vhost knows and does not, feature words bit by bit, memory told and mapped."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.view.control import OFFERED, STAGES, Control, moment
from tests.view.story import HVA
from tour.trace import events as ev
from tour.trace.state import Mapped
from tour.view.area import View
from tour.view.canvas import width_of
from tour.view.features import bits_of, feature_words, name_of
from tour.view.panels import features, memory, vhost, who
from tour.view.panels.rows import Row
from tour.view.screen import compose
from tour.view.ui import Ui


def view(stage: str, device: str = "kernel", **more: str) -> View:
    return View(moment(stage, device=device, **more), Ui(), wide=False)  # type: ignore[arg-type]


def lines(found: list[Row]) -> list[str]:
    text = []
    for row in found:
        line = ""
        for piece in row:
            line = line.ljust(piece.x) + piece.text
        text.append(line)
    return text


def known(stage: str, label: str, w: int = 76, device: str = "kernel") -> str:
    """The row that begins with that label."""
    return next(line for line in lines(vhost.rows(view(stage, device), w)) if line.startswith(label))


@pytest.mark.parametrize(
    ("stage", "label", "words"),
    [
        ("nothing", "device", "not open"), ("open", "device", "fd 7, /dev/vhost-net  owner none"),
        ("open", "worker", "none yet"), ("own", "device", "owner pid 4711 (us)"),
        ("own", "worker", "vhost-4711, tid 4712, kernel thread; sleeping (S, /proc)"),
        ("own", "features", "unknown"), ("features", "features", "VERSION_1, MRG_RXBUF (0x100008000)"),
        ("map", "memory", "unknown"), ("table", "memory", "GPA 0x0, 128 KiB, at HVA 0x7f20c0000000"),
        ("table", "TX ring", "unknown"), ("vrings", "TX ring", "desc 0x7f20c0001000  avail 0x7f20c0001080"),
    ],
)  # fmt: skip
def test_a_thing_is_unknown_until_vhost_is_told(stage: str, label: str, words: str) -> None:
    assert words in known(stage, label)


def test_a_bell_made_is_not_a_bell_told() -> None:
    second = lines(vhost.rows(view("bells"), 76))
    assert any("kick ?  call ?  err ?" in line for line in second)
    assert any(
        "kick fd 12:1  call fd 13:0  err fd 14:0  socket ?" in line for line in lines(vhost.rows(view("given"), 76))
    )


def test_our_own_device_says_that_no_system_call_was_made() -> None:
    assert "no file, no system call" in known("open", "device", device="embedded")
    assert "thread of our own" in known("own", "worker", device="embedded")


def test_a_worker_that_proc_does_not_show_is_not_invented() -> None:
    shown = moment("own")
    hidden = replace(shown.state, worker=replace(shown.state.worker, tid=0, name="", state="", form="hidden"))
    seen = View(replace(shown, state=hidden), Ui(), wide=False)
    assert any("not shown by /proc in here" in line for line in lines(vhost.rows(seen, 76)))
    assert who.worker_words(seen, roomy=True) == "not seen in /proc"


@pytest.mark.parametrize(
    ("stage", "knows"),
    [
        ("map", "none yet"), ("table", "the guest's memory map"), ("bells", "the guest's memory map"),
        ("given", "the guest's memory map, a kick and a call eventfd"),
    ],
)  # fmt: skip
def test_the_last_sentence_grows_to_the_articles(stage: str, knows: str) -> None:
    assert vhost.summary(view(stage)) == (
        f"Of memory map, kick and call it knows: {knows}. It does not know: KVM, PCI, MAC address, interrupts."
    )


@pytest.mark.parametrize("size", [(80, 24), (118, 30), (160, 48)], ids=str)
def test_the_complete_sentence_is_on_the_screen_when_it_becomes_true(size: tuple[int, int]) -> None:
    told = Control().until("given")
    before = told.timeline.edge
    for name, fd in (("KICK", 12), ("CALL", 13)):
        told.ioctl(f"VHOST_SET_VRING_{name}", {"index": 1, "fd": fd})
    drawn = " ".join(
        str(compose(replace(moment("given"), state=told.timeline.edge, before=before), Ui(), *size)).split()
    )
    assert "call eventfd." in drawn


@pytest.mark.parametrize("w", [76, 101])
@pytest.mark.parametrize("stage", STAGES)
def test_a_row_is_never_wider_than_the_panel(stage: str, w: int) -> None:
    for lang in ("en", "zh"):
        seen = view(stage, lang=lang)
        for row in vhost.rows(seen, w) + features.rows(seen, w):
            assert all(piece.x + width_of(piece.text) <= w for piece in row), row


def test_what_changed_is_scrolled_into_sight() -> None:
    found = vhost.rows(view("given"), 76)
    scroll = vhost.in_sight(found, 6)
    lit = [y for y, row in enumerate(found) if any(piece.style.endswith("+now") for piece in row)]
    assert lit and all(scroll <= y < scroll + 6 for y in lit)
    assert vhost.in_sight(vhost.rows(view("nothing"), 76), 3) == 0


# --- features -------------------------------------------------------------------------------------------------


def test_short_names_of_bits() -> None:
    assert [name_of(bit) for bit in bits_of(OFFERED)] == [
        "MRG_RXBUF", "NOTIFY_ON_EMPTY", "LOG_ALL", "VHOST_NET_HDR", "INDIRECT_DESC", "EVENT_IDX", "VERSION_1",
        "ACCESS_PLATFORM",
    ]  # fmt: skip
    assert feature_words(1 << 63 | 1) == "bit 63, CSUM" and feature_words(0) == ""


@pytest.mark.parametrize(("bit", "marks"), [(15, "1111"), (5, "-11-"), (26, "1---"), (33, "1---"), (28, "11--")])
def test_each_bit_says_in_which_words_it_is(bit: int, marks: str) -> None:
    found = next(row for row in features.rows(view("features"), 101) if row[0].text.strip() == str(bit))
    assert "".join(piece.text for piece in found[2:6]) == marks


def test_a_word_nobody_told_is_a_question_mark() -> None:
    told = Control().until("own")
    told.ioctl("VHOST_GET_FEATURES", {}, features=OFFERED)
    seen = View(replace(moment("own"), state=told.timeline.edge), Ui(), wide=False)
    assert [piece.text for piece in features.rows(seen, 101)[1][2:6]] == ["1", "?", "?", "?"]
    assert "no feature word" in lines(features.rows(view("own"), 76))[0]


def test_few_rows_hold_every_bit_two_in_each() -> None:
    seen = view("features")
    short = lines(features.fitting(seen, 76, 7))
    assert len(short) == 7 and all(name_of(bit)[:15] in "".join(short) for bit in bits_of(OFFERED))


# --- memory ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "words"), [("map", "vhost not told"), ("table", "vhost was told")])
def test_memory_says_whether_vhost_was_told(stage: str, words: str) -> None:
    drawn = str(compose(moment(stage, show="memory"), Ui(), 80, 24))
    assert drawn.count(words) == 2 and "hole" in drawn


def test_what_vhost_was_told_and_nothing_maps_is_a_line_of_its_own() -> None:
    told = Control().until("table")
    wrong = {"gpa": 0x40000, "size": 0x80000, "hva": 0x1000}
    told.ioctl("VHOST_SET_MEM_TABLE", {"regions": [{"gpa": 0, "size": 0x20000, "hva": HVA[0]}, wrong]})
    state = told.timeline.edge
    assert memory.only_told(state) == [Mapped(0x40000, 0x80000, 0x1000)]
    assert [memory.told_words(state, region) for region in state.regions] == ["told", "otherwise"]
    drawn = str(compose(replace(moment("table", show="memory"), state=state), Ui(), 160, 48))
    assert "told only  GPA 0x40000..0xbffff  HVA 0x1000  512 KiB: mapped by nothing of ours" in drawn


@pytest.mark.parametrize("stage", ["map", "vrings", "attach"])
def test_the_height_is_what_the_list_takes(stage: str) -> None:
    seen = view(stage, show="memory")
    rows = memory.height(seen, 101)
    drawn = str(compose(moment(stage, show="memory"), Ui(panel="memory"), 80, 60))
    assert rows == 3 + (stage != "map") and "region 1" in drawn


# --- room -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES[:-1])
@pytest.mark.parametrize("size", [(118, 30), (160, 48), (200, 60)], ids=str)
def test_before_any_ring_is_placed_no_queue_panel_takes_room(stage: str, size: tuple[int, int]) -> None:
    drawn = str(compose(moment(stage), Ui(), *size))
    assert "(not laid out yet)" not in drawn and "what vhost knows" in drawn


def test_once_a_ring_runs_the_queues_have_their_room_back_unless_the_step_shows_vhost() -> None:
    seen = moment("attach", show="tx")
    assert str(compose(seen, Ui(), 160, 48)).count(" queue, 8 slots") == 2
    assert "all it was told" not in str(compose(seen, Ui(), 160, 48))
    assert "all it was told" in str(compose(seen, Ui(panel="vhost"), 160, 48))


def test_the_port_is_there_once_its_peer_is() -> None:
    assert "not made yet" in str(compose(moment("given"), Ui(), 80, 24))
    assert "not made yet" not in str(compose(moment("attach"), Ui(), 80, 24))


def test_a_sentence_that_is_long_takes_rows_the_story_leaves() -> None:
    assert "0x7f20c8000000 (VHOST_SET_MEM_TABLE)." in str(compose(moment("table"), Ui(), 80, 24))


def test_events_of_the_control_plane_fold() -> None:
    state = Control().until("attach").step("attach").timeline.edge
    assert state.opened and state.tx.backend == 8 and isinstance(state.threads, ev.Threads)
