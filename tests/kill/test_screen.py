"""kill -9 of every process of `tour start 8`: nothing is left, and a screen that lives says so and goes on."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kill.family import Family, Places, family_of
from tests.kill.screen import ENTER, LEFT, READY, Screen

pytestmark = pytest.mark.requires("embedded", "tun")

ROUNDS = 10
BELOW = 3  # helper, init, agent
STEPS = 7


def freeze_in_a_step(screen: Screen, family: Family) -> None:
    """Stop the agent, then ask for the next action: it stays under way."""
    os.kill(family.who("agent"), signal.SIGSTOP)
    screen.press_until(ENTER, "now: ", 3)


@pytest.mark.parametrize("moment", ["at rest", "in a step"])
def test_the_front_ends_death_leaves_nothing(places: Places, moment: str) -> None:
    for done in range(ROUNDS // 2):
        screen = Screen(places)
        try:
            screen.sees(READY, 0)
            family = family_of(screen.process.pid, BELOW)
            if done:
                screen.press_until(ENTER, f"step {done + 1}/{STEPS}", 7 * done)
            if moment == "in a step":
                freeze_in_a_step(screen, family)
            family.kill("front end")
            family.assert_gone()
        finally:
            screen.close()


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_no_other_signal_leaves_anything(places: Places, how: signal.Signals) -> None:
    screen = Screen(places)
    try:
        screen.sees(READY, 0)
        family = family_of(screen.process.pid, BELOW)
        freeze_in_a_step(screen, family)
        screen.process.send_signal(how)
        family.assert_gone()
        assert screen.process.wait(10) in (0, -how)
    finally:
        screen.close()


@pytest.mark.parametrize("victim", ["helper", "init", "agent"])
def test_the_screen_outlives_the_rest_ten_times(places: Places, victim: str) -> None:
    screen = Screen(places)
    try:
        screen.sees(READY, 0)
        at_first = screen.descriptors()
        for done in range(ROUNDS):
            family = family_of(screen.process.pid, BELOW)
            if done % 2:
                freeze_in_a_step(screen, family)
            elif done >= 2:
                screen.press_until(ENTER, f"step {1 + done // 2}/{STEPS}", 7)
            one_death(screen, family, victim)
        assert screen.descriptors() <= at_first
        last = family_of(screen.process.pid, BELOW)
        screen.press_until(ENTER, "your prediction", 3)
        assert screen.leave(b"q") == 0
        last.assert_gone()
    finally:
        screen.close()


def one_death(screen: Screen, family: Family, victim: str) -> None:
    """Kill, read why, look back, begin again at the same step."""
    start = len(screen.seen)
    family.kill(victim)
    screen.sees("r start again at this step", start)
    screen.sees("nothing more", start)
    screen.sees(SAID[victim], start)
    family.assert_gone()
    screen.press_until(LEFT, "LOOKING BACK")
    start = len(screen.seen)
    os.write(screen.master, b"r")
    screen.sees(READY, start)


SAID = {
    "helper": "The helper was ended by signal 9 (SIGKILL).",
    "init": "The init was ended by signal 9 (SIGKILL).",
    "agent": "The program was ended by signal 9 (SIGKILL).",
}
