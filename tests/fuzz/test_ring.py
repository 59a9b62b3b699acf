"""The engine under a hostile driver, coverage-guided: what was found once stays clean, and nothing new is found.

A long hunt: ``TOUR_FUZZ_SECONDS=3600 .venv/bin/pytest tests/fuzz/test_ring.py --timeout 4000``.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.fuzz.compiled import CSRC, HERE, compiled, probe_clang, run
from tests.support import require

CORPUS = HERE / "corpus" / "ring"
SECONDS = int(os.environ.get("TOUR_FUZZ_SECONDS", "20"))
LEAST = 2000
LIMITS = ("-timeout=10", "-max_len=4096", "-len_control=0")
# Checks of the engine, each left out in turn: the corpus must notice.
CHECKS = {
    "head_range": ("queue.h", "if (head >= q->num)", "if (0)"),
    "end_of_region": ("memory.h", "here = r->last - gpa < len - 1 ? r->last - gpa + 1 : len;", "here = len;"),
    "loop": ("queue.h", "if (++n == q->num)", "if (++n == 0)"),
}


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("clang", probe_clang)
    return compiled("ring.c", tmp_path_factory.mktemp("fuzz"), "-fsanitize=fuzzer")


def test_what_was_found_once_stays_clean(fuzzer: Path) -> None:
    done = run(fuzzer, "-runs=0", *LIMITS, str(CORPUS))
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(list(CORPUS.iterdir())) > 50


def test_nothing_new_is_found(fuzzer: Path, tmp_path: Path) -> None:
    done = run(fuzzer, f"-max_total_time={SECONDS}", *LIMITS, str(tmp_path), str(CORPUS), seconds=SECONDS + 60)
    assert done.returncode == 0, done.stdout[-4000:]
    found = re.search(r"Done (\d+) runs", done.stdout)
    assert found
    print(f"{found.group(1)} runs in {SECONDS} s")
    assert int(found.group(1)) > LEAST


@pytest.mark.parametrize("check", CHECKS)
def test_an_engine_without_a_check_is_found_out(check: str, tmp_path: Path) -> None:
    require("clang", probe_clang)
    name, line, instead = CHECKS[check]
    csrc = tmp_path / "csrc"
    shutil.copytree(CSRC, csrc)
    text = (csrc / name).read_text()
    assert text.count(line) == 1
    (csrc / name).write_text(text.replace(line, instead))
    weak = compiled("ring.c", tmp_path, "-fsanitize=fuzzer", csrc=csrc)
    done = run(weak, "-runs=0", "-timeout=3", *LIMITS[1:], str(CORPUS))
    assert done.returncode != 0, "the corpus does not notice"
