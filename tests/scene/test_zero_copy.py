"""What the kernel is asked of zero copy, where it cannot be asked; where it can is the lab's to show (lesson 14)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tour.abi.libc import LAYERS_ENV
from tour.scene import zero_copy


def test_the_switch_is_what_the_kernel_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero_copy, "SWITCH", tmp_path / "switch")
    assert zero_copy.switch() == ""
    (tmp_path / "switch").write_text("1\n")
    assert zero_copy.switch() == "1"


def test_no_module_is_touched_outside_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero_copy, "LAB", tmp_path)
    (tmp_path / "vhost_net.ko").touch()
    monkeypatch.delenv(LAYERS_ENV, raising=False)
    assert not zero_copy.load_anew(zero_copy=True)


def test_no_kernel_is_probed_outside_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero_copy, "TRACING", tmp_path)
    monkeypatch.delenv(LAYERS_ENV, raising=False)
    reports = zero_copy.Reports()
    assert not reports.possible and reports.success() == []
    reports.close()


def test_each_buffer_given_back_is_one_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero_copy, "TRACING", tmp_path)
    monkeypatch.delenv(LAYERS_ENV, raising=False)
    line = f" vhost-1-2 [000] .. 1.0: {zero_copy.PROBE}: (vhost_zerocopy_callback+0x0/0x70) success="
    (tmp_path / "trace").write_text(f"# tracer: nop\n{line}0\n{line}1\n")
    reports = zero_copy.Reports()
    reports.possible = True
    assert reports.success() == [False, True]
