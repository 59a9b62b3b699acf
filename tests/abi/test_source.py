"""Rules of the C source that a reader relies on: one file of atomics, barriers in pairs, every function told."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

TOUR = Path(__file__).resolve().parent.parent.parent / "tour"
CSRC = TOUR / "csrc"
WRITTEN = [path for path in CSRC.glob("*.[ch]") if path.name not in ("_native.c", "abi_check.h")]
LETTER = re.compile(r"Barrier ([A-Z])\b")


def test_only_one_file_knows_atomics() -> None:
    users = [path.name for path in CSRC.glob("*.[ch]") if re.search(r"__(atomic|sync)_\w+\(", path.read_text())]
    assert users == ["barrier.h"]


def test_only_abi_knows_cffi() -> None:
    users = {
        path.relative_to(TOUR).as_posix()
        for path in TOUR.rglob("*.py")
        if re.search(r"\bffi\.|_native\b.*import|import.*\b_native\b", path.read_text())
    }
    assert users == {"abi/native.py", "abi/build.py"}


def letters(path: Path) -> Counter[str]:
    return Counter(LETTER.findall(path.read_text()))


def test_each_barrier_has_both_halves_and_a_legend() -> None:
    legend = letters(CSRC / "barrier.h")
    driver, device = letters(TOUR / "virtqueue" / "driver.py"), letters(TOUR / "virtqueue" / "device.py")
    assert set(driver) == set(device) != set()
    assert set(legend) == {*driver, "E"}
    # E is between our own threads: whoever asks stores the words that the worker takes.
    assert re.search(r"vt_own_(or|set)\(&e->(requested|asked)", (CSRC / "requests.h").read_text())
    assert set(re.findall(r"vt_own_take\(&e->(\w+)", (CSRC / "engine.h").read_text())) == {"requested", "asked"}


def test_a_barriers_line_does_what_its_letter_says() -> None:
    does = {"A": r"(store|load)_avail_idx", "B": r"(store|load)_used_idx", "C": "full_barrier", "D": "full_barrier"}
    for side in ("driver.py", "device.py"):
        for line in (TOUR / "virtqueue" / side).read_text().splitlines():
            for letter in LETTER.findall(line):
                assert re.search(does[letter], line), line


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_every_c_function_that_others_call_has_kernel_doc(path: Path) -> None:
    text = path.read_text()
    functions = re.findall(
        r"^static (?:inline |__attribute__\(\(noinline\)\) )?[\w ]+?\*?(vt_\w+)\(", text, re.MULTILINE
    )
    told = re.findall(r"^/\*\*\n \* (vt_\w+)\(\) - ", text, re.MULTILINE)
    others = "".join(other.read_text() for other in (*WRITTEN, *CSRC.glob("*.cdef")) if other != path)
    called = {name for name in functions if re.search(rf"\b{name}\b", others)}
    assert functions
    assert called - set(told) == set()
    assert [name for name in dict.fromkeys(functions) if name in told] == told


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_every_cast_to_a_pointer_says_why_it_is_safe(path: Path) -> None:
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.search(r"\((const )?(u?int\d+_t|void) \*\)\w", line):
            assert "SAFETY:" in lines[number - 1] or "SAFETY:" in lines[number - 2], f"{path.name}:{number + 1}"
