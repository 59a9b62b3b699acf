"""What was measured, listed and told of a guest's processor is found again by name."""

from __future__ import annotations

import pytest

from tests.trace.recordings import events
from tour.trace import events as ev
from tour.trace.fold import FoldError, fold_all
from tour.trace.paths import holds, read
from tour.trace.state import State


def after(*payloads: ev.AnyPayload) -> State:
    return fold_all(events(*payloads))


def test_a_figure_is_the_last_of_its_name() -> None:
    state = after(ev.Figure("loop.syscalls", 3), ev.Figure("loop.syscalls", 5), ev.Figure("who", "QEMU"))
    assert (read(state, "figure.loop.syscalls"), read(state, "figure.who"), read(state, "figure.none")) == (
        5,
        "QEMU",
        None,
    )
    assert holds("figure.loop.syscalls == 5", State(), state) and holds("figure.loop.syscalls > 4.5", State(), state)
    assert holds("changed figure.loop.syscalls", State(), state)


def test_points_are_counted_by_plot_and_series() -> None:
    state = after(
        ev.Point("latency", "flags", 1, 2), ev.Point("latency", "event", 1, 2), ev.Point("latency", "flags", 2, 2)
    )
    assert (read(state, "plot.latency"), read(state, "plot.latency.flags"), read(state, "plot.none")) == (3, 2, 0)


def test_a_listing_takes_the_place_of_the_one_before() -> None:
    state = after(ev.Listing("copies", [["a"], ["b"]]), ev.Listing("copies", [["c", "@word"]]))
    assert state.listings["copies"] == (("c", "@word"),) and read(state, "listing.copies") == 1
    assert read(state, "listing.none") is None


def test_a_processor_keeps_its_program_and_says_what_moved() -> None:
    program = ev.Program("kick", [ev.Instruction(0x7000, "ef", "out dx, ax")])
    state = after(program, ev.Cpu(0x7000, {"ax": 1}, 0), ev.Exit("IO", 0x510, 2, 1), ev.Cpu(0x7001, {"ax": 1}, 1, 7))
    assert [read(state, f"cpu.{name}") for name in ("ip", "ax", "returns", "exits", "reason", "port", "halted")] == [
        0x7001, 1, 1, 7, "IO", 0x510, 0,
    ]  # fmt: skip
    assert state.cpu is not None and state.cpu.lines == tuple(program.lines)
    assert "cpu.ip" in state.pending and "cpu.ax" not in state.pending
    assert read(State(), "cpu.ip") is None


def test_names_without_end_are_refused() -> None:
    with pytest.raises(FoldError):
        after(*(ev.Figure(f"n{number}", 0) for number in range(201)))
