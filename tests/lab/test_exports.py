"""The programs made from recordings do the same on the real kernel: built here, run there, all in one boot."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import require
from tests.trace.export.test_programs import probe_gcc
from tests.trace.recordings import NO_PROGRAM, reference
from tour.lab.boot import Options
from tour.lab.command import run
from tour.lesson.course import course
from tour.trace.export import c, python, strace
from tour.trace.export.walk import program

pytestmark = [pytest.mark.requires("lab"), pytest.mark.lab, pytest.mark.timeout(600)]
READY = [entry.id for entry in course().ready if entry.id not in NO_PROGRAM]
IN_PYTHON = [lesson for lesson in READY if lesson in ("3", "8", "9")]
CALL = re.compile(r"ioctl\(-?\d+, (VHOST_\w+|TUN\w+)[,)].*= (-?\d+)(?: (E[A-Z]+))?")
SCRIPT = """
for n in {c}; do {folder}/$n.bin > {folder}/$n.c.out 2>&1; echo $? >> {folder}/$n.c.out; done
for n in {python}; do {interpreter} {folder}/$n.py > {folder}/$n.py.out 2>&1; echo $? >> {folder}/$n.py.out; done
{folder}/wrong.bin > {folder}/wrong.out 2>&1; echo $? >> {folder}/wrong.out
strace -v -s 99 -o {folder}/strace.txt {folder}/9.bin > /dev/null
"""


def build(folder: Path, name: str, text: str) -> None:
    """NAME.bin of a program's text, without a single warning."""
    source = folder / f"{name}.c"
    source.write_text(text)
    command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", str(folder / f"{name}.bin"), str(source)]
    subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with what every program told, its exit code last."""
    require("lab")
    require("gcc", probe_gcc)
    folder = tmp_path_factory.mktemp("exports")
    for lesson in READY:
        made = program(reference(lesson).events)
        (folder / f"{lesson}.py").write_text(python.text(made))
        build(folder, lesson, c.text(made))
    build(folder, "wrong", c.text(program(reference("9").events)).replace("0x809c, 0, 54)", "0x809c, 0, 55)"))
    script = SCRIPT.format(c=" ".join(READY), python=" ".join(IN_PYTHON), folder=folder, interpreter=sys.executable)
    with open(folder / "boot.out", "wb") as out:
        code = run(
            ["sh", "-c", script], stdin=None, stdout=out.fileno(), stderr=out.fileno(), timeout=300,
            options=Options(out=folder),
        )  # fmt: skip
    assert code == 0, (folder / "boot.out").read_text()
    yield folder


def told(path: Path) -> str:
    """What a program told; it ended with code 0 and compared something."""
    text = path.read_text()
    assert text.splitlines()[-1] == "0", text
    assert "0 of the results differ" in text and "FAIL" not in text and text.count("ok    ") > 1
    return text


@pytest.mark.parametrize("lesson", READY)
def test_the_c_program_finds_what_was_recorded(results: Path, lesson: str) -> None:
    told(results / f"{lesson}.c.out")


@pytest.mark.parametrize("lesson", IN_PYTHON)
def test_the_python_program_finds_what_was_recorded(results: Path, lesson: str) -> None:
    told(results / f"{lesson}.py.out")


def test_lesson_9_s_program_gets_its_replies(results: Path) -> None:
    text = told(results / "9.c.out")
    assert "rx used.ring[0].len = 54" in text and "rx used.ring[1].len = 110" in text


def test_a_program_that_expects_something_else_says_so(results: Path) -> None:
    text = (results / "wrong.out").read_text()
    assert "FAIL  rx used.ring[0].len = 54, recorded 55" in text and text.splitlines()[-1] == "1"


def calls(text: str) -> list[tuple[str, ...]]:
    """Name, result and errno of every vhost and tap ioctl, in order, those that only look left out."""
    lines = [line for line in text.splitlines() if not line.startswith("#") and "only to look" not in line]
    return [match.groups("") for line in lines if (match := CALL.search(line))]


def test_strace_sees_the_program_make_the_calls_we_print(results: Path) -> None:
    seen = calls((results / "strace.txt").read_text())
    assert seen == calls(strace.text(reference("9").events)) and len(seen) > 20
