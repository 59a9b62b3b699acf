"""The contract suite on the embedded device, with either gear, answer by answer as the kernel gave them."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, require, required
from tour.testing.case import SKIPPED, compare
from tour.testing.contract import cases

EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "expected-6.1.json").read_text())


@cache
def answers(device: str) -> dict[str, Any]:
    """One run of the whole suite, in a process and a network namespace of its own."""
    command = [sys.executable, "-m", "tour.testing", "--device", device, "--record", "-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["answers"]
    return found


@pytest.mark.parametrize("name", [case.name for case in cases])
@pytest.mark.parametrize("device", ["embedded", "engine"])
def test_either_gear_answers_as_the_kernel(name: str, device: str) -> None:
    require("tun")
    answer = answers(device)[name]
    if str(answer).startswith(SKIPPED) and not required("links"):
        pytest.skip(answer)
    assert answer == EXPECTED["answers"][name]


def test_the_answers_were_recorded_from_the_kernel() -> None:
    assert EXPECTED["device"] == "kernel"
    assert EXPECTED["kernel"].startswith("6.1.")


def test_every_case_has_a_recorded_answer_and_none_is_left_over() -> None:
    assert {case.name for case in cases} == EXPECTED["answers"].keys()


def test_there_are_cases_of_both_parts() -> None:
    parts = [case.part for case in cases]
    assert parts.count("acceptance") >= 60
    assert parts.count("behaviour") >= 60


def test_a_different_answer_is_found() -> None:
    assert list(compare({"a": "0", "b": "1"}, {"a": "EPERM", "b": "1"})) == [("a", "0", "EPERM")]
    assert list(compare({"a": "0"}, {})) == [("a", "0", None)]
