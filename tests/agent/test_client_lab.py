"""A lab that cannot be started is told to whoever waits for it."""

from __future__ import annotations

import errno
import queue
from typing import Any, NoReturn

import pytest

from tour.agent import client_lab
from tour.agent.client_lab import LabSession
from tour.errors import AgentLost, CapabilityMissing, TourError

ERRORS = [OSError(errno.EAGAIN, "Resource temporarily unavailable"), CapabilityMissing("lab", "Not here.")]


@pytest.mark.parametrize("error", ERRORS, ids=["no process", "no lab"])
def test_a_lab_that_cannot_be_started_is_told(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise error

    monkeypatch.setattr(client_lab, "open_stream", refuse)
    ends: queue.Queue[TourError | None] = queue.Queue()
    LabSession("").start(lambda event: None, ends.put, lambda text: None)
    told = ends.get(timeout=10)
    assert told is error or isinstance(told, AgentLost)
    assert str(error.args[-1]) in str(told)
