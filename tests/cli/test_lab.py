"""``tour lab list`` and ``fetch``, and a kernel chosen by its version: what they tell, and their ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import tour
from tests.support import require
from tour.i18n import t


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder in which a Linux 6.98.7 lies as ``fetch`` leaves one."""
    modules = tmp_path / "vhost-tour/lab/kernels/newest/usr/lib/modules/6.98.7-amd64"
    (modules / "kernel/drivers/vhost").mkdir(parents=True)
    (modules / "kernel/drivers/vhost/vhost_net.ko").touch()
    (modules / "vmlinuz").touch()
    return tmp_path


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_kernels_there_are_listed(cache: Path, lang: str) -> None:
    told, said = tour("lab", "list", XDG_CACHE_HOME=str(cache), VHOST_TOUR_LANG=lang)
    (line,) = [line for line in told.splitlines() if "6.98.7" in line]
    place = cache / "vhost-tour/lab/kernels/newest/usr/lib/modules/6.98.7-amd64"
    assert line == t("zh" if lang == "zh" else "en", "cli.lab_kernel", version="6.98.7-amd64", place=place)
    assert "6.1, 6.12, newest" in said


def test_a_kernel_that_cannot_be_had_is_said() -> None:
    assert "There are: 6.1, 6.12, newest." in tour("lab", "fetch", "9.9", code=2)[1]


def test_a_version_that_is_not_there_is_said_with_the_command_that_fetches_it(cache: Path) -> None:
    require("lab")
    _, said = tour("run", "8", "--lab", "--kernel", "6.99", code=3, XDG_CACHE_HOME=str(cache))
    assert "There is no Linux 6.99 here." in said and "6.98.7-amd64" in said and "tour lab fetch 6.99" in said
