"""What moves at an event, and where it is on its way."""

from __future__ import annotations

import pytest

from tour.trace import events as ev
from tour.view.canvas import Rect
from tour.view.motion import Travel, travels, where


def event(data: ev.AnyPayload, actor: ev.Actor = "driver", *, inferred: bool = False) -> ev.Event:
    return ev.Event(1, 1, actor, "driver", data, inferred)


def store(field: str, new: list[int], queue: int = 1) -> ev.Store:
    return ev.Store(queue, field, 0x1000, "0000", "0100", [0], new)


@pytest.mark.parametrize(
    ("data", "actor", "path", "label"),
    [
        (store("desc[0]", [0x40000, 54, 0, 0]), "driver", ("driver", "tx.desc[0]"), "{0x40000}"),
        (store("avail.ring[3]", [5]), "driver", ("tx.desc[5]", "tx.avail.ring[3]"), "[5]"),
        (store("avail.idx", [1]), "driver", ("tx.avail.idx",), "1"),
        (store("used.ring[0]", [2, 60], queue=0), "device", ("worker", "rx.used.ring[0]"), "[2]"),
        (store("used.idx", [1]), "device", ("tx.used.idx",), "1"),
        (ev.Kick(1, 9, 1), "driver", ("driver", "tx.kick", "worker"), "+1 kick"),
        (ev.Call(0, 12, 1), "device", ("worker", "rx.call", "driver"), "+1 call"),
        (ev.Packet("out", "port", "00" * 42), "device", ("worker", "tap"), "42 B"),
        (ev.Packet("out", "tap", "00" * 42), "network", ("tap", "peer"), "42 B"),
        (ev.Packet("in", "tap", "00" * 42), "network", ("peer", "tap"), "42 B"),
        (ev.Packet("in", "port", "00" * 42), "device", ("tap", "worker"), "42 B"),
        (ev.Action("pop", 1, {"slot": 2, "head": 4}), "device", ("tx.avail.ring[2]", "worker"), "[4]"),
        (ev.Action("map", 1, {"head": 4, "gpa": 0x40000}), "device", ("worker", "mem.0x40000"), "0x40000"),
        (ev.Action("reap", 1, {"slot": 1, "head": 4}), "driver", ("tx.used.ring[1]", "driver"), "[4]"),
        (ev.Write(1, 0x40000, "", "00" * 54), "driver", ("driver", "mem.0x40000"), "54 B"),
    ],
)
def test_each_verb_moves_one_thing_between_its_places(
    data: ev.AnyPayload, actor: ev.Actor, path: tuple[str, ...], label: str
) -> None:
    (travel,) = travels(event(data, actor))
    assert (travel.path, travel.text) == (path, label)


def test_what_the_kernel_did_unseen_moves_with_a_tilde() -> None:
    seen = ev.Snapshot(1, 1, 2, 0, 1, [[0, 3, 0]])
    entry, index = travels(event(seen, "device", inferred=True))
    assert (entry.path, entry.text) == (("worker", "tx.used.ring[0]"), "~[3]")
    assert (index.path, index.text) == (("tx.used.idx",), "~1")


@pytest.mark.parametrize("data", [ev.Note("x"), ev.Step("8", "kick", "begin"), ev.Action("send", 1), ev.Done(1)])
def test_what_moves_nothing_shows_no_motion(data: ev.AnyPayload) -> None:
    assert travels(event(data)) == ()


def test_a_thing_starts_at_its_first_place_and_arrives_at_its_last() -> None:
    places = {"a": Rect(0, 0, 1), "b": Rect(20, 0, 1), "c": Rect(20, 10, 1)}
    travel = Travel(("a", "b", "c"), "x", "driver")
    assert where(travel, places, 0.0) == (0, 0)
    assert where(travel, places, 0.5) == (20, 0)
    assert where(travel, places, 1.0) == (20, 10)


def test_progress_never_goes_back() -> None:
    places = {"a": Rect(0, 3, 1), "b": Rect(70, 3, 1)}
    columns = [where(Travel(("a", "b"), "x", "driver"), places, step / 40) for step in range(41)]
    assert columns == sorted(columns, key=lambda cell: cell or (0, 0))


def test_places_off_the_picture_end_the_journey() -> None:
    travel = Travel(("a", "b"), "x", "driver")
    assert where(travel, {"a": Rect(0, 0, 1)}, 0.5) is None
    assert where(Travel(("a",), "1", "driver"), {"a": Rect(4, 2, 3)}, 0.5) == (5, 2)


def test_an_index_ticks_from_its_old_to_its_new_number() -> None:
    (tick,) = travels(event(ev.Store(1, "avail.idx", 0, "ffff", "0000", [65535], [0])))
    assert [tick.at(progress) for progress in (0.0, 0.3, 0.5, 1.0)] == ["65535", "65535", "0", "0"]
