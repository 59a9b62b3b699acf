"""The catalogue of named violations, done to both gears and to the server; what it says of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tests.support import ROOT, require
from tour.dev.clauses import V1_3
from tour.testing.hostile.acts import ACTS
from tour.testing.hostile.catalogue import VICTIMS, Violation, against, catalogue

OURS = [(victim, entry.id) for victim in VICTIMS if victim != "kernel" for entry in against(victim)]


@cache
def attacked(victim: str) -> dict[str, Any]:
    """One run of everything, in a process and a network namespace of its own."""
    command = [sys.executable, "-m", "tour.testing.hostile", "--victim", victim, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize(("victim", "name"), OURS)
def test_a_violation_comes_to_its_verdict_and_hurts_nobody_else(victim: str, name: str) -> None:
    require("tun")
    assert attacked(victim)[name]["wrong"] == []


def test_the_catalogue_is_large_and_names_nothing_twice() -> None:
    names = [entry.id for entry in catalogue()]
    assert len(names) == len(set(names)) >= 100
    assert {entry.verdict for entry in catalogue()} == {"REJECT", "BROKEN", "PASS"}


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.id)
def test_an_entry_says_all_that_it_must(entry: Violation) -> None:
    assert entry.en and entry.zh and entry.spec
    assert entry.spec.startswith("vhost-user, QEMU docs/interop/vhost-user.rst@7.2, ") or (
        entry.spec.removeprefix("virtio v1.3 ") in V1_3
    )
    assert (entry.verdict == "PASS") is (entry.reason == "") or entry.id == "heads-rewritten-while-read"
    assert entry.said() or not entry.reason
    assert set(entry.on) <= set(VICTIMS)
    assert (entry.kernel != entry.verdict) is bool(entry.kernel_en) is bool(entry.kernel_zh)
    assert (entry.kind == "act") is (entry.id in ACTS)
