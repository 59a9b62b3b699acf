"""Boots that do not come up: stuck, refused, cancelled. A script stands in for QEMU, the keeper is the real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import children, wait_until
from tour.errors import CapabilityMissing
from tour.lab import accelerator, boot, initramfs, kernel

STUCK = "#!/bin/sh\necho '[    0.000000] Linux version'\nexec sleep 1000\n"
REFUSES = "#!/bin/sh\necho 'qemu: no such option' >&2\nexit 1\n"
FAILS = "#!/bin/sh\necho 'tour-lab: init'\necho 'tour-lab: fail module x was refused'\nexec sleep 1000\n"


@pytest.fixture
def qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that is started in QEMU's place; nothing else of a machine is needed."""
    program = tmp_path / "qemu"
    program.touch(0o755)
    found = kernel.Kernel("6.1.0", tmp_path / "vmlinuz", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(accelerator.ENV, raising=False)
    monkeypatch.setattr(accelerator, "DEVICE", tmp_path / "no-kvm")
    monkeypatch.setattr(boot, "QUIET", {"kvm": 0.3, "tcg": 0.3})
    monkeypatch.setattr(kernel, "find_tools", lambda _: kernel.Tools(program, tmp_path / "busybox", found))
    monkeypatch.setattr(initramfs, "prepare", lambda *_: initramfs.BootFiles(tmp_path / "k", tmp_path / "i"))
    return program


def attempts(words: list[str]) -> list[str]:
    return [word.partition("QEMU ")[2] for word in words if "starting QEMU" in word]


def try_to_boot(words: list[str]) -> CapabilityMissing:
    with pytest.raises(CapabilityMissing) as caught:
        boot.boot(["true"], None, boot.Options(progress=words.append))
    wait_until(lambda: not children(os.getpid()), "every keeper to be gone")
    return caught.value


@pytest.mark.parametrize(("script", "said"), [(STUCK, "Linux version"), (REFUSES, "no such option")])
def test_a_stuck_boot_is_tried_three_times_more(qemu: Path, script: str, said: str) -> None:
    qemu.write_text(script)
    words: list[str] = []
    error = try_to_boot(words)
    assert attempts(words) == ["(software emulation)"] * 4
    assert error.name == "lab"
    assert said in str(error)


def test_what_the_init_script_refuses_is_not_tried_again(qemu: Path) -> None:
    qemu.write_text(FAILS)
    words: list[str] = []
    assert "module x was refused" in str(try_to_boot(words))
    assert attempts(words) == ["(software emulation)"]


def test_kvm_is_tried_once_a_boot_of_this_machine(qemu: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qemu.write_text(REFUSES)
    accelerator.DEVICE.touch()
    words: list[str] = []
    try_to_boot(words)
    assert attempts(words) == ["(KVM)", *["(software emulation)"] * 4]
    words.clear()
    try_to_boot(words)
    assert attempts(words) == ["(software emulation)"] * 4


def test_progress_that_raises_cancels_and_leaves_nothing(qemu: Path) -> None:
    qemu.write_text(STUCK)

    def progress(word: str) -> None:
        if "kernel is starting" in word:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        boot.boot(["true"], None, boot.Options(progress=progress))
    wait_until(lambda: not children(os.getpid()), "the keeper to be gone")


def test_a_program_that_is_not_there_is_said(qemu: Path) -> None:
    qemu.unlink()
    assert "No such file" in str(try_to_boot([]))
