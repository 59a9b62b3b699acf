"""An agent process started before the rest of the program is imported, so that both get ready side by side.

Standard library only. At most one is held ready; whoever wants an agent takes it, and what nobody took is ended.
"""

from __future__ import annotations

import contextlib
import os
import sys

from tour.abi.libc import LAYERS_ENV
from tour.agent.spawn import AgentProcess, spawn
from tour.errors import TourError

_ready: list[AgentProcess] = []


def begin() -> None:
    """Start an agent now, from the main thread. When it cannot be, ``take`` will try again and say why."""
    with contextlib.suppress(TourError):
        _ready.append(start())


def take() -> AgentProcess:
    """The agent held ready, else a new one. Raises CapabilityMissing or AgentLost."""
    return _ready.pop() if _ready else start()


def drop() -> None:
    """End the agent nobody took."""
    while _ready:
        _ready.pop().close()


def start() -> AgentProcess:
    """A new agent process, in namespaces of its own as far as they are to be had."""
    agent = [sys.executable, "-P", "-m", "tour.agent.server"]
    if in_lab():
        return spawn(["env", f"{LAYERS_ENV}=vm", *agent], isolate="none")
    return spawn(agent, degrade=True)


def in_lab() -> bool:
    """Whether this whole machine is a throwaway: then namespaces would only hide the worker from its owner."""
    return os.environ.get(LAYERS_ENV) == "vm"
