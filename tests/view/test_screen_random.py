"""Any sequence of events that folds can be drawn at any size: no exception, every row exactly as wide."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.view.story import Story, moment
from tour.lesson.moment import PHASES, Moment
from tour.trace import events as ev
from tour.trace.fold import FoldError
from tour.trace.timeline import Timeline
from tour.view.canvas import width_of
from tour.view.screen import compose
from tour.view.ui import PANELS, Ui

QUEUE = st.integers(0, 1)
WORD = st.integers(0, 65535)
NUM = st.sampled_from([1, 2, 4, 8, 16, 256, 1024])
FIELD = st.sampled_from(["avail.idx", "used.idx", "avail.flags", "used.flags", "avail.used_event", "used.avail_event"])


@st.composite
def payloads(draw: st.DrawFn) -> ev.AnyPayload:
    queue, word = draw(QUEUE), draw(WORD)
    slot = draw(st.integers(0, 15))
    gpa = draw(st.sampled_from([0, 0x40000, 0x4000C, 0x80000, 1 << 63]))
    data = draw(st.binary(max_size=80)).hex()
    desc = [gpa, draw(st.integers(0, 1 << 32)), draw(st.integers(0, 7)), draw(st.integers(0, 20))]
    choices: list[ev.AnyPayload] = [
        ev.Store(queue, draw(FIELD), 0, "0000", "0100", [0], [word]),
        ev.Store(queue, f"desc[{slot}]", 0, "", "", [0, 0, 0, 0], desc),
        ev.Store(queue, f"avail.ring[{slot}]", 0, "", "", [0], [word]),
        ev.Store(queue, f"used.ring[{slot}]", 0, "", "", [0, 0], [word, 7]),
        ev.Write(queue, gpa, "", data, "frame"),
        ev.Private(queue, draw(st.sampled_from(["last_avail_idx", "last_used_idx", "x"])), 0, word),
        ev.Snapshot(queue, 1, 2, draw(st.integers(0, 3)), word, [[slot, slot, 9]], draw(st.none() | WORD)),
        ev.Kick(queue, 9, word), ev.Call(queue, 10, word), ev.Drain(queue, 10, 1), ev.Count(queue, "kick", 9, word),
        ev.Action("reap", queue, {"head": slot}), ev.Broken(queue, "chain is longer than its table", "kernel"),
        ev.Packet(draw(st.sampled_from(["in", "out"])), draw(st.sampled_from(["tap", "port"])), data),
        ev.Worker(draw(st.text(max_size=30)), word, "ours", draw(st.sampled_from("RSDIZT?"))),
        ev.RingPlace(queue, draw(NUM), 0, 0x1000, 0x2000), ev.Region(slot, gpa, 0x10000, 0x7F0000000000, 5, 0),
        ev.Step("8", "publish", draw(st.sampled_from(["begin", "end"])), "still"), ev.Error(draw(st.text(max_size=40))),
        ev.Ioctl("VHOST_SET_FEATURES", 1, 7, {"features": (1 << 29) + word}, "", 0), ev.Syscall("open", ["描述"], 3),
    ]  # fmt: skip
    return choices[draw(st.integers(0, len(choices) - 1))]


def drawn_from(found: list[ev.AnyPayload], inferred: bool, phase: str, lang: str) -> Moment:
    story = Story()
    timeline = Timeline(story.timeline.events)
    before = timeline.edge
    for number, data in enumerate(found):
        event = ev.Event(len(timeline), number, "device", "observer", data, inferred)
        try:
            timeline.append(event)
        except FoldError:
            continue
    base = moment("publish", phase, lang)  # type: ignore[arg-type]
    return replace(base, state=timeline.edge, before=before)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(payloads(), max_size=12), st.booleans(), st.sampled_from(PHASES), st.sampled_from(["en", "zh"]),
    st.sampled_from([(80, 24), (81, 25), (100, 30), (118, 30), (120, 40), (160, 48), (203, 61), (79, 24), (1, 1)]),
    st.sampled_from(["", *PANELS]), st.sampled_from(["unicode", "ascii"]),
)  # fmt: skip
def test_whatever_happened_can_be_drawn(
    found: list[ev.AnyPayload], inferred: bool, phase: str, lang: str, size: tuple[int, int], panel: str, glyphs: str
) -> None:
    shown = drawn_from(found, inferred, phase, lang)
    canvas = compose(shown, Ui(panel=panel, glyphs=glyphs, scroll={"story": 2, "memory": 1}), *size)  # type: ignore[arg-type]
    rows = canvas.rows()
    assert len(rows) == size[1]
    assert all(sum(width_of(span.text) for span in row) == size[0] for row in rows)
    for name, place in canvas.anchors.items():
        assert 0 <= place.x < size[0] and 0 <= place.y < size[1], name


@settings(max_examples=40, deadline=None)
@given(NUM.map(lambda num: max(2, num)), WORD, st.sampled_from(["kernel", "embedded"]), st.sampled_from([80, 160]))
def test_any_size_and_index_of_ring(num: int, base: int, device: str, width: int) -> None:
    shown = moment("reap", "observe", device=device, num=num, base=base)
    drawn = str(compose(shown, Ui(), width, 24 if width == 80 else 48))
    tx = shown.state.tx
    assert tx.avail_idx == tx.used_idx == (base + 1) % 65536
    assert f"idx {tx.avail_idx}" in drawn
    if tx.avail_idx >= num:
        assert f"{tx.avail_idx} = slot {tx.avail_idx % num}" in drawn
