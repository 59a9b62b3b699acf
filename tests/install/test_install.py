"""The wheel in a fresh environment: complete, with and without a compiler, and on a system that is not Linux."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.bench.terminal import Terminal, plain
from tests.install import wheels
from tests.support import ROOT, require

pytestmark = pytest.mark.timeout(300)

APT = "sudo apt-get install gcc python3-dev libc6-dev"
DARWIN = str(Path(__file__).with_name("darwin.py"))
RECORDING = ROOT / "lessons" / "08_first_packet_out" / "kernel.trace.jsonl"
NOISE = re.compile(r"Traceback|error:|warning:|/usr/bin|\bgcc -|\bcc -|fatal")


@pytest.fixture(scope="session")
def setuptools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what builds wheels."""
    folder = tmp_path_factory.mktemp("setuptools")
    require("index", lambda: wheels.get_setuptools(folder))
    return folder


@pytest.fixture(scope="session")
def wheel(setuptools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with whatever this machine has."""
    tree = wheels.copy_tree(tmp_path_factory.mktemp("tree"))
    return wheels.build(tree, setuptools, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with that wheel; its ``bin``."""
    return wheels.environment(tmp_path_factory.mktemp("fresh") / "venv", wheel)


@pytest.fixture(scope="session", params=["no compiler", "no headers"])
def bare(request: pytest.FixtureRequest, setuptools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of an environment that was installed where nothing could be compiled."""
    tree = wheels.copy_tree(tmp_path_factory.mktemp("tree"))
    env = {"CC": "gcc -nostdinc"} if request.param == "no headers" else without_compiler(tmp_path_factory)
    made = wheels.build(tree, setuptools, tmp_path_factory.mktemp("wheel"), env)
    assert not [name for name in zipfile.ZipFile(made).namelist() if name.endswith(".so")]
    return wheels.environment(tmp_path_factory.mktemp("bare") / "venv", made)


def without_compiler(factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables under which no compiler is found."""
    return {"PATH": str(factory.mktemp("empty")), "CC": "false"}


def tour(bin_: Path, *words: str, cwd: Path, launcher: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """``tour WORDS`` of that environment, far from this tree."""
    program = [str(bin_ / "python"), launcher] if launcher else [str(bin_ / "tour")]
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "TOUR_REQUIRE")}
    environ = {**clean, "PATH": str(bin_), "CC": "false", "LANG": "C.UTF-8", "TERM": "dumb", **env}
    return subprocess.run([*program, *words], cwd=cwd, env=environ, capture_output=True, text=True, timeout=60)


def passed(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether lesson 8 was told to its end, without noise."""
    assert done.returncode == 0, done.stderr
    assert not NOISE.search(done.stderr), done.stderr
    return "First packet out" in done.stdout


def test_the_packages_are_listed() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "tour").rglob("__init__.py")}
    assert sorted(setup["packages"]) == sorted(found | {"tour_exercises", "tour_lessons"})
    folders = {path.parent for path in (ROOT / "tour").rglob("*.py")}
    assert {".".join(path.relative_to(ROOT).parts) for path in folders} == found, "each folder of code is a package"


def test_the_wheel_is_complete_and_has_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {name for name in wheels.tracked() if name.startswith(("tour/", "lessons/", "exercises/"))}
    wanted = {re.sub("^(lessons|exercises)/", r"tour_\1/", name) for name in ours}
    compiled = {name for name in names if name.endswith(".so")}
    assert wanted <= names
    assert {name for name in names - wanted - compiled if ".dist-info/" not in name} == set()
    assert compiled <= {"tour/abi/_native.abi3.so"}


def test_it_runs_from_anywhere(fresh: Path, tmp_path: Path) -> None:
    version = json.loads(tour(fresh, "version", "--json", cwd=tmp_path).stdout)
    assert version["schema"] == "vhost-tour/version/1"
    assert version["compiled_part"] == (shutil.which("gcc") is not None)
    assert passed(tour(fresh, "run", "8", "--plain", "--lang", "en", "--device", "replay", cwd=tmp_path))
    code = "import importlib.util as u, tour, tour_lessons; print(u.find_spec('lessons'), tour.__file__, tour_lessons)"
    told = subprocess.run(
        [fresh / "python", "-c", code], cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, check=True
    ).stdout
    assert told.startswith("None ")
    assert str(ROOT) not in told


def test_it_runs_on_the_embedded_device(fresh: Path, tmp_path: Path) -> None:
    require("embedded")
    require("tun")
    done = tour(fresh, "run", "8", "--plain", "--lang", "en", "--device", "embedded", cwd=tmp_path)
    assert passed(done)
    assert "Every check held." in done.stdout


def test_without_a_compiler_what_replays_passes(bare: Path, tmp_path: Path) -> None:
    recording = shutil.copy(RECORDING, tmp_path / "a recording.jsonl")
    assert passed(tour(bare, "replay", str(recording), "--plain", "--lang", "en", cwd=tmp_path))
    assert passed(tour(bare, "run", "8", "--plain", "--lang", "en", "--device", "replay", cwd=tmp_path))


def test_without_a_compiler_auto_replays_and_says_why(bare: Path, tmp_path: Path) -> None:
    done = tour(bare, "run", "8", "--plain", "--lang", "en", cwd=tmp_path)
    assert passed(done)
    assert "no C compiler" in done.stderr
    assert APT in done.stderr


def test_without_a_compiler_embedded_names_the_apt_line(bare: Path, tmp_path: Path) -> None:
    done = tour(bare, "run", "8", "--plain", "--lang", "en", "--device", "embedded", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert APT in done.stderr
    assert not NOISE.search(done.stderr.replace(sys.executable, "").replace(str(bare), "")), done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_a_compiler_that_comes_later_is_enough(bare: Path, tmp_path: Path) -> None:
    require("embedded")
    require("tun")
    advice = tour(bare, "run", "8", "--plain", "--lang", "en", "--device", "embedded", cwd=tmp_path).stderr
    command = advice.partition(f"{APT} && ")[2].splitlines()[0]
    try:
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert passed(tour(bare, "run", "8", "--plain", "--lang", "en", "--device", "embedded", cwd=tmp_path))
    finally:
        for made in bare.parent.rglob("_native*.so"):
            made.unlink()


@pytest.mark.parametrize("words", [("run", "8", "--device", "replay"), ("run", "8"), ("replay", str(RECORDING))])
def test_elsewhere_than_on_linux_it_replays(words: tuple[str, ...], bare: Path, tmp_path: Path) -> None:
    done = tour(bare, *words, "--plain", "--lang", "en", cwd=tmp_path, launcher=DARWIN)
    assert passed(done)
    assert ("needs Linux" in done.stderr) == (words == ("run", "8"))


def test_elsewhere_than_on_linux_embedded_is_refused(bare: Path, tmp_path: Path) -> None:
    done = tour(bare, "run", "8", "--plain", "--lang", "en", "--device", "embedded", cwd=tmp_path, launcher=DARWIN)
    assert (done.returncode, done.stdout) == (3, "")
    assert "needs Linux" in done.stderr
    assert "apt-get" not in done.stderr


def test_elsewhere_than_on_linux_the_screen_replays(bare: Path, tmp_path: Path) -> None:
    command = [str(bare / "python"), DARWIN, "replay", str(RECORDING), "--lang", "en"]
    screen = Terminal(["env", "-C", str(tmp_path), "-u", "PYTHONPATH", *command], 80, 24)
    try:
        screen.until(lambda seen: "REPLAY" in plain(seen))
        screen.quiet(0.3)
        assert screen.leave(b"q") == 0, plain(screen.seen)[-500:]
    finally:
        screen.close()
