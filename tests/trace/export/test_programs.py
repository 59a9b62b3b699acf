"""The programs: every lesson's C compiles without a warning, every lesson's Python compiles; nothing gets out of a
comment or a string. That they do the same on a real kernel is tests/lab's to show."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import require
from tests.trace.recordings import HELLO, NO_PROGRAM, events, reference
from tour.errors import CapabilityMissing
from tour.lesson.course import course
from tour.trace import events as ev
from tour.trace.export import c, python
from tour.trace.export.step import step_lines
from tour.trace.export.walk import program

READY = [entry.id for entry in course().ready if entry.id not in NO_PROGRAM]
EVIL = '*/ int main(void) { return system("x"); } /* \\\n"); """'


def probe_gcc() -> None:
    """Raises CapabilityMissing without a C compiler."""
    if shutil.which("gcc") is None:
        raise CapabilityMissing("gcc", "There is no gcc.")


def compiles(text: str, folder: Path) -> str:
    """What gcc has to say about the program, at its strictest."""
    path = folder / "lesson.c"
    path.write_text(text)
    command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize("lesson", READY)
def test_the_c_of_every_lesson_compiles_without_a_warning(lesson: str, tmp_path: Path) -> None:
    require("gcc", probe_gcc)
    assert compiles(c.text(program(reference(lesson).events)), tmp_path) == ""


@pytest.mark.parametrize("lesson", READY)
def test_the_python_of_every_lesson_compiles(lesson: str) -> None:
    text = python.text(program(reference(lesson).events))
    compile(text, "lesson.py", "exec")
    assert "import tour" not in text and "from tour" not in text


def test_words_of_a_recording_stay_in_their_comment_or_string(tmp_path: Path) -> None:
    require("gcc", probe_gcc)
    told: list[ev.AnyPayload] = [
        ev.Syscall("mount", [EVIL], 0),
        ev.Peer(EVIL, EVIL, EVIL, EVIL, EVIL, True),
        ev.Syscall("open", [f'"{EVIL}"', "O_RDWR"], 5),
        ev.Write(1, 0, "", "aa", EVIL),
    ]
    place = ev.RingPlace(1, 8, 0, 128, 152)
    whole = program(
        [*events(HELLO, actor="tour"), *events(place), *events(*told[:3], actor="control"), *events(told[3])]
    )
    assert compiles(c.text(whole), tmp_path) == ""
    assert "\nint main(void) { return system" not in c.text(whole)
    compile(python.text(whole), "lesson.py", "exec")


def test_one_step_alone() -> None:
    run = reference("9").events
    shown = step_lines(run, "call", "c")
    assert shown[0] == "static void step_call(void)" and shown[-1] == "}"
    assert any("drain(" in line for line in shown) and not any("kick(" in line for line in shown)
    assert step_lines(run, "nothing", "c") == step_lines(run, "nothing", "strace") == []


def test_the_embedded_device_says_that_no_system_call_was_made() -> None:
    call = ev.Ioctl("VHOST_SET_OWNER", 44801, -1, {}, "", 0)
    marks = [ev.Step("2", "own", "begin"), ev.Step("2", "own", "end", "done")]
    run = [*events(HELLO, actor="tour"), *events(marks[0], actor="tour"), *events(call, actor="control"),
           *events(marks[1], actor="tour")]  # fmt: skip
    assert "no system call was made" in step_lines(run, "own", "c")[0]
    assert step_lines(run, "own", "strace") == [
        "# the embedded device, no system call: ioctl(-1, VHOST_SET_OWNER, 0)           = 0"
    ]
