"""kill -9 with the agent in the lab: of the machine ten times below one screen, and of the front end at ten moments."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kill.family import Family, Places, family_of
from tests.kill.screen import ENTER, LEFT, READY, Screen
from tests.kill.test_streams import end, start, told, written
from tests.support import wait_until
from tour.lab import cache
from tour.trace import store

pytestmark = [pytest.mark.requires("lab"), pytest.mark.lab, pytest.mark.timeout(600)]

ROUNDS = 10
BELOW = 2  # keeper, VM
PATIENCE = 90.0
EARLY, BOOTED, IN_A_STEP = "the kernel is starting", "starting the command", "in a step"
SAID = "QEMU was ended by signal 9"


def freeze_in_a_step(screen: Screen) -> None:
    """Stop the machine, then ask for the next action: it stays under way."""
    os.kill(family_of(screen.process.pid, BELOW).who("VM"), signal.SIGSTOP)
    screen.press_until(ENTER, "now: ", 3)


def test_the_screen_outlives_ten_deaths_of_the_machine(places: Places) -> None:
    screen = Screen(places, "--lab")
    try:
        screen.sees(READY, 0, PATIENCE)
        at_first = screen.descriptors()
        for done in range(ROUNDS):
            if done % 2:
                freeze_in_a_step(screen)
            one_death(screen)
        assert screen.descriptors() <= at_first
        last = Family(screen.process.pid)
        screen.press_until(ENTER, "your prediction", 3)
        assert screen.leave(b"q") == 0
        last.assert_gone()
    finally:
        screen.close()
    assert_cache_is_whole()


def one_death(screen: Screen) -> None:
    """Kill the machine, read why, look back, begin again in a new one."""
    family, start = family_of(screen.process.pid, BELOW), len(screen.seen)
    family.kill("VM")
    screen.sees("r start again at this step", start)
    screen.sees(SAID, start)
    family.assert_gone()
    screen.press_until(LEFT, "LOOKING BACK")
    start = len(screen.seen)
    os.write(screen.master, b"r")
    screen.sees(READY, start, PATIENCE)


@pytest.mark.parametrize(
    ("moment", "rounds"), [(EARLY, 3), (BOOTED, 3), (READY, 2), (IN_A_STEP, 2)], ids=["early", "booted", "rest", "step"]
)
def test_the_front_ends_death_leaves_no_machine(places: Places, moment: str, rounds: int) -> None:
    for _ in range(rounds):
        screen = Screen(places, "--lab")
        try:
            screen.sees(READY if moment == IN_A_STEP else moment, 0, PATIENCE)
            family = family_of(screen.process.pid, BELOW)
            if moment == IN_A_STEP:
                freeze_in_a_step(screen)
            family.kill("front end")
            family.assert_gone()
        finally:
            screen.close()
    assert_cache_is_whole()


def test_a_machine_killed_while_it_boots_is_booted_again(places: Places) -> None:
    screen = Screen(places, "--lab")
    try:
        screen.sees(EARLY, 0, PATIENCE)
        family = family_of(screen.process.pid, BELOW)
        family.kill("VM")
        screen.sees(READY, 0, PATIENCE)
        family.assert_gone()
        assert screen.leave(b"q") == 0
    finally:
        screen.close()


def test_what_was_recorded_in_the_lab_is_kept(places: Places) -> None:
    front = start(places, "record", "8", "--lab", "-o", "it.jsonl")
    wait_until(lambda: written(places) > 0, "the first event", PATIENCE)
    family = Family(front.pid)
    family.kill("VM")
    said = end(front, "VM")
    family.assert_gone()
    (kept,) = places.work.iterdir()
    assert f"{kept}" in said and SAID in said
    assert not store.load(kept).whole
    assert told(kept)


def assert_cache_is_whole() -> None:
    """Nothing half made lies among the lab's boot files."""
    assert [path for path in cache.folder().iterdir() if path.name.startswith(".")] == []
