"""Panels: what each shows of a state, where it can be found on the canvas, and what can be clicked."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.view.story import Story, moment
from tour.trace import events as ev
from tour.trace.fold import fold
from tour.trace.state import Ring
from tour.view.area import View
from tour.view.features import feature_words
from tour.view.panels import card, descriptors, log, memory, packet, rings
from tour.view.screen import compose
from tour.view.ui import PANELS, Ui


def test_places_that_motion_needs_are_named() -> None:
    wide = compose(moment("device", "observe", device="embedded"), Ui(), 160, 48).anchors
    wanted = {"control", "driver", "worker", "tap", "peer", "now", "badge", "mem.0x40000"}
    for name in ("tx", "rx"):
        words = ("kick", "call", "avail.idx", "used.idx", "last_avail_idx", "last_used_idx")
        wanted |= {f"{name}.{part}" for part in (*words, "avail.ring[0]", "used.ring[7]", "desc[0]", "desc[7]")}
    assert wanted <= set(wide)
    assert {"worker", "driver", "tx.avail.idx", "tx.avail.ring[0]", "tx.kick"} <= set(
        compose(moment("publish", "observe"), Ui(), 80, 24).anchors
    )


def test_an_anchor_lies_on_what_it_names() -> None:
    canvas = compose(moment("publish", "observe"), Ui(), 160, 48)
    place = canvas.anchors["tx.avail.idx"]
    assert canvas.text_rows()[place.y][place.x : place.x + place.w] == "1"
    place = canvas.anchors["tx.avail.ring[0]"]
    assert canvas.text_rows()[place.y][place.x : place.x + place.w] == "[0]"


def test_what_changed_is_lit_and_starred() -> None:
    canvas = compose(moment("publish", "observe"), Ui(), 80, 24)
    place = canvas.anchors["tx.avail.idx"]
    assert canvas.style_at(place.x, place.y) == "driver+now"
    assert "idx 1 *" in canvas.text_rows()[place.y]
    used = canvas.anchors["tx.used.idx"]
    assert canvas.style_at(used.x, used.y) == "device"


@pytest.mark.parametrize("panel", PANELS)
def test_a_chosen_tab_comes_to_the_front(panel: str) -> None:
    canvas = compose(moment("device", "observe"), Ui(panel=panel), 80, 24)
    tabs = canvas.text_rows()[-3]
    words = {"tx": "TX", "rx": "RX"}.get(panel, panel)
    assert f"[{words}]" in tabs
    x = tabs.index(f"[{words}]")
    assert canvas.action_at(x + 1, 21) == f"panel:{panel}"


def test_choices_and_timeline_can_be_clicked() -> None:
    canvas = compose(moment("publish", "predict"), Ui(), 80, 24)
    actions = {hit.action for hit in canvas.hits}
    assert {"choice:1", "choice:2", "choice:3", "choice:4", "key:enter", "key:f", "seek:0", "seek:56"} <= actions


def test_a_field_in_the_spotlight_is_lit_in_bytes_words_and_memory() -> None:
    canvas = compose(moment("device", "observe"), Ui(spotlight="arp.tpa"), 160, 48)
    rows = canvas.text_rows()
    y = next(y for y, row in enumerate(rows) if "0a 00 02 02" in row)
    assert canvas.style_at(rows[y].index("0a 00 02 02"), y) == "text+spot"
    assert any("target IP: 10.0.2.2" in row for row in rows)
    place = canvas.anchors["mem.0x40000"]
    assert canvas.style_at(place.x, place.y) == "driver+spot"


def test_runs_of_descriptors() -> None:
    rx = Story().timeline.edge.rx
    assert descriptors.runs(rx) == [descriptors.Run(0, 7, "device")]
    tx = Story().run(until="publish").timeline.edge.tx
    assert [(run.first, run.last, run.holder) for run in descriptors.runs(tx)] == [(0, 0, "driver"), (1, 7, "free")]


def test_flags_of_a_descriptor_in_words_and_letters() -> None:
    assert descriptors.flags_text((0, 0, 0, 0), short=False) == "-"
    assert descriptors.flags_text((0, 0, 2, 0), short=False) == "WRITE"
    assert descriptors.flags_text((0, 0, 1, 5), short=False) == "NEXT 5"
    assert descriptors.flags_text((0, 0, 3, 5), short=True) == "WN>5"


@pytest.mark.parametrize(("num", "w", "shown"), [(2, 44, (0, 1)), (8, 44, tuple(range(8)))])
def test_a_small_ring_shows_every_slot(num: int, w: int, shown: tuple[int, ...]) -> None:
    assert rings.slots(Ring(1, num=num), w, wide=False).shown == shown


def test_a_large_ring_shows_the_slots_around_its_indices() -> None:
    ring = Ring(1, num=256, avail_idx=65535, used_idx=65534, last_avail_idx=65534, last_used_idx=65534)
    found = rings.slots(ring, 44, wide=False)
    assert found.partial
    assert {254, 255} <= set(found.shown)


def test_the_kernel_has_read_at_least_what_it_has_returned() -> None:
    shown = moment("kick", "observe")
    tx = replace(shown.state.tx, used_idx=1, last_avail_idx=0)
    view = View(replace(shown, state=replace(shown.state, rings=(shown.state.rx, tx))), Ui(), wide=False)
    assert rings.ends(view, tx, "avail") == (1, 1, True)
    own = View(moment("kick", "observe", device="embedded"), Ui(), wide=False)
    assert rings.ends(own, tx, "avail") == (1, 0, False)


def test_feature_bits_by_name() -> None:
    assert feature_words(1 << 32 | 1 << 15) == "VERSION_1, MRG_RXBUF"
    assert feature_words(1 << 63) == "bit 63"


def test_holes_between_regions() -> None:
    assert card.holes(Story().timeline.edge) == 1


def test_memory_lists_rings_and_buffers_in_order() -> None:
    view = View(moment("publish", "observe"), Ui(), wide=True)
    low, high = (memory.parts(view, region) for region in view.state.regions)
    assert [part.label for part in low if part.kind != "free"] == [
        "TX desc", "avail", "used", "RX desc", "avail", "used",
    ]  # fmt: skip
    assert [part.label for part in high if part.kind == "buffer"] == ["TX 0", "RX 0..7"]


def test_the_packet_is_joined_from_its_writes() -> None:
    found = packet.subject(moment("publish", "observe").state)
    assert found is not None
    assert (found.gpa, found.descriptor, len(found.data)) == (0x40000, "TX 0", 54)
    names = [field.name for field in packet.all_fields(found)]
    assert names[0] == "hdr.flags"
    assert "arp.tpa" in names


def test_hexadecimal_is_cut_with_dots() -> None:
    assert log.hex_words("00112233", 11) == "00 11 22 33"
    assert log.hex_words("0011223344", 11) == "00 11 22 ..."


@pytest.mark.parametrize(("what", "header", "first"), [("buffer", True, "hdr.flags"), ("frame", False, "payload")])
def test_only_a_packets_beginning_is_read_as_one(what: str, header: bool, first: str) -> None:
    told = ev.Write(0, 0x81000, "", bytes(range(60)).hex(), what)
    state = fold(moment("publish", "observe").state, ev.Event(9999, 0, "device", "observer", told))
    found = packet.subject(state)
    assert found is not None and found.gpa == 0x81000 and found.header is header
    assert packet.all_fields(found)[0].name == first


def test_a_return_of_kvm_run_is_no_exit_of_a_process() -> None:
    told = ev.Event(1, 1, "control", "control", ev.Exit("IO", 0x510, 2, 1))
    assert log.line(told, True) == ("KVM_RUN  -> IO port 0x510, 2 B, value 1", "")
    assert log.line(ev.Event(1, 1, "control", "control", ev.Exit("HLT")), True)[0] == "KVM_RUN  -> HLT"
