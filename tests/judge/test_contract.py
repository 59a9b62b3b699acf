"""A learner's own device before the contract suite: the references answer as the kernel, a wrong one is found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT, require
from tour.judge.contract import BEYOND, chosen
from tour.testing.contract import cases

EXPECTED = ROOT / "tests/contract/expected-6.1.json"
TX, RX = ROOT / "exercises/11_handle_tx", ROOT / "exercises/12_handle_rx"


def suite(tx: Path, rx: Path, only: str = "") -> subprocess.CompletedProcess[str]:
    words = ["--tx", str(tx), "--rx", str(rx), "--expect", str(EXPECTED), "--only", only]
    command = [sys.executable, "-m", "tour.judge.contract", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)


def test_both_references_answer_as_the_kernel() -> None:
    require("tun")
    require("namespaces")
    done = suite(TX / "solution.py", RX / "solution.py")
    assert done.stdout == f"{len(chosen())} cases, 0 failed\n", done.stdout + done.stderr
    assert done.returncode == 0


def test_a_device_that_never_calls_is_found() -> None:
    require("tun")
    require("namespaces")
    done = suite(TX / "wrong/no_call.py", RX / "solution.py", "a frame goes out")
    assert done.returncode == 1 and "FAIL a frame goes out:" in done.stdout
    answer = json.loads(done.stdout.split(": ", 1)[1].split("   expected")[0])
    assert answer["seen"] == [1] and answer["state"]["called"] is False


def test_code_that_cannot_be_run_is_a_sentence(tmp_path: Path) -> None:
    require("namespaces")
    broken = tmp_path / "handle_tx.py"
    for text in (None, "def handle_tx(:", "1 / 0"):
        if text is not None:
            broken.write_text(text)
        done = suite(broken, RX / "solution.py", "a frame goes out")
        assert done.returncode == 1 and done.stderr.startswith("The code cannot be run: "), done.stderr
        assert done.stderr.count("\n") == 1


def test_most_of_what_a_device_does_is_asked_and_the_rest_is_explained() -> None:
    behaviour = [case.name for case in cases if case.part == "behaviour"]
    assert len(chosen()) > len(behaviour) / 2
    for word, reason in BEYOND.items():
        assert len(reason) > 10 and any(word in name for name in behaviour), word
