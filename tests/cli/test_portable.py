"""Reading and replaying need no Linux: nothing of it is imported, and with another sys.platform all still works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment, tour
from tests.trace.recordings import reference
from tour.lesson import model
from tour.lesson.course import course

RECORDING = Path(reference().path)
BELOW = ("tour.scene", "tour.device", "tour.net", "tour.virtqueue", "tour.memory", "pyroute2", "tour.abi._native")

DARWIN = "import sysconfig, sys; sysconfig.get_config_vars(); sys.platform = 'darwin';"
MAIN = "from tour.cli.entry import main\ntry: main()\nfinally: print(*sorted(sys.modules), file=sys.stderr)"
ON_DARWIN = (sys.executable, "-c", DARWIN + MAIN)


def imported(code: str) -> set[str]:
    """The modules a fresh interpreter holds after ``code``."""
    code = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def below(modules: set[str], *also: str) -> set[str]:
    """Those of them that need Linux, or that we said are not wanted."""
    unwanted = (*BELOW, *also)
    return {name for name in modules if any(name == each or name.startswith(f"{each}.") for each in unwanted)}


@pytest.mark.parametrize(
    "code",
    [
        "import tour.view.screen, tour.view.svg, tour.view.words",
        "import tour.agent.player, tour.agent.replay, tour.agent.showing, tour.agent.session",
        "import tour.lesson.model, tour.lesson.prediction, tour.trace.store, tour.trace.transcript",
        "import tour.agent.client",
        "import tour.agent.client_ssh",
    ],
)
def test_what_reads_imports_nothing_that_needs_linux_or_a_front_end(code: str) -> None:
    assert below(imported(code), "textual", "typer", "click", "cffi", "tour.tui", "tour.cli", "tour.lab") == set()


def test_the_command_line_reaches_the_screen_only_when_it_is_wanted() -> None:
    assert below(imported("import tour.cli.main"), "textual", "tour.tui", "tour.lab", "tour.view") == set()


def test_the_screen_imports_nothing_that_needs_linux() -> None:
    assert below(imported("import tour.tui.app")) == set()


@pytest.mark.parametrize(
    "words",
    [
        ["replay", RECORDING, "--plain"], ["replay", RECORDING, "--json"], ["run", "8"], ["run", "0", "--lang", "zh"],
        ["run", "8", "--plain", "--device", "replay"],
    ],
    ids=lambda words: " ".join(map(str, words)).replace(str(RECORDING), "FILE"),
)  # fmt: skip
def test_without_linux(words: list[str | Path]) -> None:
    told, said = tour(*words, argv=ON_DARWIN)
    assert told
    assert below(set(said.split()), "textual") == set()


@pytest.mark.parametrize("words", [["list"], ["status"], ["doctor"], ["run", "all"], ["list", "--json"]], ids=" ".join)
def test_without_linux_the_course_is_there(words: list[str]) -> None:
    told, said = tour(*words, argv=ON_DARWIN)
    assert told and below(set(said.split()), "textual") == set()
    if words[0] == "doctor":
        assert "A live run needs Linux." in told
    if words == ["run", "all"]:
        assert told.count("replayed, recorded on") == len(course().ready)
    if words[0] == "list":
        assert "live" not in told and "replay" in told


def test_without_linux_the_map_leads_to_a_recording(tmp_path: Path) -> None:
    told, _ = tour("start", "--plain", argv=ON_DARWIN, typed="\nq\n", VHOST_TOUR_STATE=str(tmp_path))
    told, _ = tour("start", "--plain", argv=ON_DARWIN, typed="8:3\nq\n", VHOST_TOUR_STATE=str(tmp_path))
    assert "goes on at 0:publish" in told and "Step 3 of 7" in told and "Replayed" in told


def test_without_linux_lessons_are_talked_through_and_drawn(tmp_path: Path) -> None:
    told, _ = tour("start", "8", "--plain", argv=ON_DARWIN, typed="3\nq\n")
    assert "Right." in told and "Replayed" in told
    tour("replay", RECORDING, "--svg", tmp_path / "x.svg", argv=ON_DARWIN)
    assert (tmp_path / "x.svg").read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize("words", [["run", "8", "--device", "embedded"], ["run", "8", "--device", "kernel"]])
def test_without_linux_a_live_run_asked_for_is_missing(words: list[str]) -> None:
    _, said = tour(*words, argv=ON_DARWIN, code=3)
    assert "A live run needs Linux." in said and "darwin" in said and "--device replay" in said


@pytest.mark.parametrize("name", ["embedded", "tun", "kernel"])
def test_without_linux_what_is_required_is_missing(name: str) -> None:
    tour("run", "8", argv=ON_DARWIN, code=3, TOUR_REQUIRE=name)


def test_without_linux_the_same_is_told() -> None:
    here, _ = tour("run", "8", "--device", "replay")
    there, _ = tour("run", "8", argv=ON_DARWIN)
    assert there == here
    assert model.load("8").recording_path().samefile(RECORDING)
