"""The sender's text is what a disassembler makes of its bytes, and its own words are where its code has them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tour.kvm.sender import FRAME, FRAME_SIZE, KICKS, PORT, QUEUE, SENDER
from tour.scene.nic import RING_AT, RING_SIZE, TX_BUFFER
from tour.virtqueue.layout import plan


@pytest.mark.skipif(not shutil.which("objdump"), reason="objdump is not installed: sudo apt-get install binutils")
def test_the_text_is_what_objdump_says(tmp_path: Path) -> None:
    (tmp_path / "code").write_bytes(SENDER.code)
    argv = ["objdump", "-D", "-b", "binary", "-m", "i8086", "-M", "intel", "--insn-width=16"]
    argv += [f"--adjust-vma={SENDER.at:#x}", str(tmp_path / "code")]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^ *([0-9a-f]+):\t([0-9a-f ]+)\t(.+)$", said, re.M)
    found = [(int(gpa, 16), code.replace(" ", ""), " ".join(text.split())) for gpa, code, text in rows]
    assert found == [(line.gpa, line.code, line.text) for line in SENDER.told(SENDER.code).lines]


def test_its_numbers_are_those_of_its_code() -> None:
    """The ring's parts, the frame, the port and its own words appear in the instructions as they are said to be."""
    ring, texts = plan(RING_SIZE, RING_AT[1]), [line.text for line in SENDER.lines]
    assert f"mov DWORD PTR [si+{ring.desc:#x}],{FRAME:#x}" in texts and FRAME == TX_BUFFER
    assert f"mov DWORD PTR [si+{ring.desc + 8:#x}],{FRAME_SIZE:#x}" in texts
    assert f"mov ds:{ring.avail_idx:#x},ax" in texts and f"test WORD PTR ds:{ring.used_flags:#x},0x1" in texts
    assert f"mov dx,{PORT:#x}" in texts and f"mov ax,{QUEUE:#x}" in texts
    assert f"lock or BYTE PTR ds:{KICKS:#x},0x0" in texts


def test_the_full_barrier_stands_between_index_and_flags() -> None:
    """virtio v1.3 2.7.13.4.1: publish, then the locked instruction, then the look whether a kick is wanted."""
    words = [line.word for line in SENDER.lines]
    assert words.index("@publish") < words.index("@barrier") < words.index("@wanted") < words.index("@out")


def test_it_sleeps_only_with_interrupts_off_until_the_hlt() -> None:
    texts = [line.text for line in SENDER.lines]
    sleeps = [at for at, text in enumerate(texts) if text == "hlt"]
    assert len(sleeps) == 2 and all(texts[at - 1] == "sti" for at in sleeps)
