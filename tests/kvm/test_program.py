"""The text of each instruction is what a disassembler makes of its bytes; jumps lead where they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tour.kvm.guests import CODE_AT, RingPlaces, driver, kicker, notifier
from tour.kvm.program import Jump, Label, Line, Program, assemble

PROGRAMS = [kicker(1000), notifier(100, 1), driver(RingPlaces(8, 0x1000, 0x1080, 0x10A0, 0x5000, 54), 10)]


@pytest.mark.skipif(not shutil.which("objdump"), reason="objdump is not installed: sudo apt-get install binutils")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_the_text_is_what_objdump_says(program: Program, tmp_path: Path) -> None:
    (tmp_path / "code").write_bytes(program.code)
    argv = ["objdump", "-D", "-b", "binary", "-m", "i8086", "-M", "intel", f"--adjust-vma={program.at:#x}"]
    said = subprocess.run([*argv, tmp_path / "code"], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^ *([0-9a-f]+):\t([0-9a-f ]+)\t(.+)$", said, re.M)
    found = [(int(gpa, 16), code.replace(" ", ""), " ".join(text.split())) for gpa, code, text in rows]
    told = program.told(program.code)
    assert found == [(line.gpa, line.code, line.text) for line in told.lines]


def test_a_jump_leads_to_its_label() -> None:
    program = assemble("x", CODE_AT, 0, [Jump("eb", "jmp", "end"), Line("90", "nop"), Label("end"), Line("f4", "hlt")])
    assert program.code == bytes.fromhex("eb0190f4") and program.lines[0].text == f"jmp {CODE_AT + 3:#x}"


def test_a_jump_too_far_or_to_nowhere_is_refused() -> None:
    far = [Label("begin"), *(Line("90", "nop") for _ in range(200)), Jump("eb", "jmp", "begin")]
    with pytest.raises(ValueError, match="bytes away"):
        assemble("x", CODE_AT, 0, far)
    with pytest.raises(KeyError):
        assemble("x", CODE_AT, 0, [Jump("eb", "jmp", "nowhere")])


def test_a_program_is_told_only_as_it_lies_in_memory() -> None:
    with pytest.raises(ValueError, match="other bytes"):
        kicker(1).told(b"\xf4")
