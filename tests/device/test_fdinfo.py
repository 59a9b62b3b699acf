"""Who has a file open: this process is seen with it, and without it; only our own processes are looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tour.abi.libc import LAYERS_ENV
from tour.device import fdinfo


def test_a_file_we_opened_is_found_with_our_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LAYERS_ENV, raising=False)
    path = tmp_path / "held"
    with open(path, "w") as held:
        found = fdinfo.holders(str(path))
        assert [one.tid for one in found.found] == [os.getpid()] and found.found[0].name
        assert found.processes == 1 and found.descriptors > held.fileno() - 3
    assert fdinfo.holders(str(path)).found == []


def test_where_process_ids_are_our_own_every_process_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LAYERS_ENV, raising=False)
    alone = fdinfo.holders("/dev/kvm")
    monkeypatch.setenv(LAYERS_ENV, "net,mount,pid")
    assert fdinfo.holders("/dev/kvm").processes >= alone.processes == 1


def test_the_counter_of_an_eventfd_is_seen_without_reading_it() -> None:
    fd = os.eventfd(3, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    try:
        assert (fdinfo.eventfd_count(fd), fdinfo.eventfd_count(fd), os.eventfd_read(fd)) == (3, 3, 3)
    finally:
        os.close(fd)
