"""kill -9 of everybody of `tour run` and `tour record`: nothing is left but what was recorded; that can be played."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.kill.family import Family, Places, family_of
from tests.support import ROOT, kill, wait_until
from tour.trace import events as ev
from tour.trace import store

pytestmark = pytest.mark.requires("embedded", "tun")

ROUNDS = 5  # of each command: ten of each victim
BELOW = 3  # helper, init, agent
LOST = 4
AS_NOBODY = ROOT / "tests" / "agent" / "as_nobody.py"
VICTIMS = ["front end", "helper", "init", "agent"]
SMALL_PIPE = 4096


def start(places: Places, *words: str) -> subprocess.Popen[bytes]:
    """`tour WORDS`; its standard output is a pipe that soon is full."""
    argv = [sys.executable, "-m", "tour.cli", *words, "--lang", "en"]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv, cwd=places.work, env=places.environ(), stdout=pipe, stderr=pipe, bufsize=0, pipesize=SMALL_PIPE
    )


def end(front: subprocess.Popen[bytes], victim: str) -> str:
    """What the front end says at its end, after the death of ``victim``."""
    said = front.communicate(timeout=30)[1].decode()
    assert front.returncode == (-signal.SIGKILL if victim == "front end" else LOST), said
    if victim != "front end":
        assert "The agent has ended" in said
        assert "9 (SIGKILL)" in said
        assert "To mend it: give the same command again" in said
        assert "Traceback" not in said
    return said


@pytest.mark.parametrize("victim", VICTIMS)
def test_run_is_killed_at_many_places(places: Places, victim: str) -> None:
    for done in range(ROUNDS):
        front = start(places, "run", "8", "--json")
        assert front.stdout
        for _ in range(1 + 16 * done):
            ev.decode(front.stdout.readline())
        family = family_of(front.pid, BELOW)
        family.kill(victim)
        end(front, victim)
        family.assert_gone()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("victim", VICTIMS)
def test_an_ordinary_users_run_is_killed(victim: str) -> None:
    tour = [sys.executable, str(AS_NOBODY), sys.executable, "-m", "tour.cli", "run", "8", "--json", "--lang", "en"]
    pipe = subprocess.PIPE
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    front = subprocess.Popen(tour, cwd="/", env=environ, stdout=pipe, stderr=pipe, bufsize=0, pipesize=SMALL_PIPE)
    assert front.stdout
    hello = ev.decode(front.stdout.readline()).data
    assert isinstance(hello, ev.Hello) and hello.net == "tap"
    family = family_of(front.pid, BELOW)
    assert os.stat(f"/proc/{family.who('init')}").st_uid != 0
    family.kill(victim)
    end(front, victim)
    family.assert_gone()


@pytest.mark.parametrize("victim", VICTIMS)
def test_what_was_recorded_until_then_is_kept(places: Places, victim: str) -> None:
    for done in range(ROUNDS):
        front, family = recording(places, 500 + 5000 * done)
        family.kill(victim)
        said = end(front, victim)
        family.assert_gone()
        (kept,) = places.work.iterdir()
        assert kept.match("it.jsonl*.partial"), "plain to see, and no whole recording"
        assert victim == "front end" or f"{kept}" in said
        assert not store.load(kept).whole
        if done + 1 == ROUNDS:
            assert told(kept)
        kept.unlink()


def recording(places: Places, size: int) -> tuple[subprocess.Popen[bytes], Family]:
    """`tour record 8` frozen with ``size`` bytes or more written; begun again if it was quicker than we."""
    while True:
        front = start(places, "record", "8", "-o", "it.jsonl")
        wait_until(lambda: written(places) >= size, f"{size} bytes", 30.0)
        os.kill(front.pid, signal.SIGSTOP)
        family = Family(front.pid)
        if len(family.below) == BELOW and not (places.work / "it.jsonl").exists():
            os.kill(front.pid, signal.SIGCONT)
            return front, family
        kill(front.pid)
        front.communicate()
        for path in places.work.iterdir():
            path.unlink()


def written(places: Places) -> int:
    """Bytes in the working folder."""
    with suppress(FileNotFoundError):
        return sum(path.stat().st_size for path in places.work.iterdir())
    return 0


def told(path: Path) -> bool:
    """Whether `tour replay` plays it and says that it ends early."""
    tour = [sys.executable, "-m", "tour.cli", "replay", str(path), "--plain", "--lang", "en"]
    done = subprocess.run(tour, cwd=ROOT, capture_output=True, text=True)
    return done.returncode == 0 and "ends early" in done.stderr and "First packet out" in done.stdout
