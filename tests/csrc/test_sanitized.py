"""The engine's tests, the server's and the catalogue, on an engine built for the address and undefined sanitizers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.csrc.sanitized import build, probe_sanitizers, run_tests
from tests.support import require

SECONDS = 200.0
# A fault that is not ours ends the process by a signal, which the sanitizer tells in its own way.
CHOSEN = "not python and not sanitized and not a_fault_that_is_not_ours"


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("embedded")
    require("clang", probe_sanitizers)
    folder = tmp_path_factory.mktemp("sanitized")
    build(folder)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("tests/csrc", "tests/device/vhost_user", "tests/virtqueue/test_burst.py", "-k", CHOSEN),
        ("tests/hostile", "-k", "engine"),
    ],
    ids=["engine", "catalogue"],
)
@pytest.mark.timeout(240)
def test_nothing_is_reported(sanitized: Path, words: tuple[str, ...]) -> None:
    done = run_tests(sanitized, *words, seconds=SECONDS)
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout and "runtime error" not in done.stdout


def test_an_engine_without_a_bound_is_found_out(tmp_path: Path) -> None:
    require("embedded")
    require("clang", probe_sanitizers)
    build(tmp_path, ("queue.h", "n = n < VT_BATCH ? n : VT_BATCH;", ""))
    done = run_tests(tmp_path, "tests/csrc/test_engine_turns.py", seconds=SECONDS)
    assert done.returncode == 99
    assert "index 64 out of bounds" in done.stdout
