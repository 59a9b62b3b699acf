"""An agent held ready is taken once, and ended when nobody takes it."""

from __future__ import annotations

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
