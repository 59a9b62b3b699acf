"""kill -9 with the agent on another machine: whoever dies, nothing is left there and the screen stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.agent.sshd import HOST, Sshd
from tests.bench.terminal import plain
from tests.kill.family import Places, children_of_threads
from tests.kill.screen import ENTER, LEFT, READY, Screen
from tests.support import alive, kill, require, wait_until

pytestmark = pytest.mark.timeout(120)
PASSPHRASE = "open sesame"


@pytest.fixture
def far(places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    require("ssh")
    sshd = Sshd(places.folder / "far")
    monkeypatch.setenv("PATH", sshd.environ["PATH"])
    yield sshd
    sshd.close()


@pytest.mark.parametrize("victim", ["tour.agent.server", "tour.cli agent", "sshd: root", "ssh here"])
def test_a_death_is_a_card_and_one_may_look_back_and_begin_again(places: Places, far: Sshd, victim: str) -> None:
    screen = Screen(places, "--ssh", HOST)
    try:
        screen.sees(READY, 0)
        assert "embedded device (ours) on far" in plain(screen.seen)
        start = len(screen.seen)
        (ssh,) = children_of_threads(screen.process.pid)
        kill(ssh if victim == "ssh here" else far.who(victim))
        screen.sees("r start again at this step", start)
        if victim != "tour.agent.server":
            far.assert_alone()
        screen.press_until(LEFT, "LOOKING BACK")
        start = len(screen.seen)
        os.write(screen.master, b"r")
        screen.sees(READY, start)
        screen.press_until(ENTER, "your prediction", 3)
        assert screen.leave(b"q") == 0
    finally:
        screen.close()
    far.assert_alone()


def test_the_front_ends_death_leaves_nothing_anywhere(places: Places, far: Sshd) -> None:
    screen = Screen(places, "--ssh", HOST)
    try:
        screen.sees(READY, 0)
        (ssh,) = children_of_threads(screen.process.pid)
        kill(screen.process.pid)
        wait_until(lambda: not alive(ssh), "the end of ssh")
        far.assert_alone()
    finally:
        screen.close()


def test_ssh_asks_before_the_screen_is_drawn(places: Places, far: Sshd) -> None:
    key = str(far.folder / "user")
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", key], check=True)
    screen = Screen(places, "--ssh", HOST, tty=True)
    try:
        screen.sees("Enter passphrase", 0)
        os.write(screen.master, f"{PASSPHRASE}\n".encode())
        screen.sees(READY, 0)
        assert screen.leave(b"q") == 0
    finally:
        screen.close()
    far.assert_alone()
