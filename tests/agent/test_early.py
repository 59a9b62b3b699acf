"""An agent held ready is taken once, and ended when nobody takes it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support import require
from tour.agent import early


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    require("namespaces")
    assert early._ready == []


def test_it_is_taken_once() -> None:
    early.begin()
    ready = early._ready[0]
    first, second = early.take(), early.take()
    try:
        assert first is ready and second is not ready
        assert first.running() and second.running() and early._ready == []
    finally:
        first.close()
        second.close()


def test_nobody_s_agent_is_ended() -> None:
    early.begin()
    ready = early._ready[0]
    early.drop()
    assert not ready.running() and early._ready == []


def test_a_source_tree_one_stands_in_is_not_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `sh install.sh` one stands in a tree without the compiled part: only the installed one is meant."""
    (tmp_path / "tour").mkdir()
    (tmp_path / "tour" / "__init__.py").write_text("raise SystemExit('the wrong tour')")
    monkeypatch.chdir(tmp_path)
    with early.start() as agent:
        agent.stream.shutdown(socket.SHUT_WR)
        assert agent.wait(20) == 0
