"""Makes ``tests.support`` importable whatever pytest's import mode, and knows the marker ``requires``."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.support import require  # noqa: E402 - needs the path above


def pytest_configure(config: pytest.Config) -> None:
    """Declare our marker, as --strict-markers wants it. Programs under test get the signals a terminal's would, also
    below a nohup or a background job, which hand down that they are ignored. Nobody's real progress is touched."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = tempfile.TemporaryDirectory(prefix="tests-state-")
    config.add_cleanup(folder.cleanup)
    os.environ["VHOST_TOUR_STATE"] = folder.name
    config.addinivalue_line("markers", "requires(name): skip without it, fail where TOUR_REQUIRE names it")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Apply the marker ``requires``."""
    for mark in item.iter_markers("requires"):
        for name in mark.args:
            require(name)
