"""The line that is shown as the one that ran is the one that did it: never a neighbour, never the one that tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.command import tour
from tests.support import ROOT, require
from tour.trace import store
from tour.trace.events import Event

DID = {
    "kick": "eventfd_write", "call": r"\.ring\(\)|eventfd_write", "drain": "eventfd_read",
    "store": r"ring\.(store|write)_", "write": r"memory\.write|_write\(|write_table",
    "packet": r"port\.|os\.writev|_read\(",
    "region": r"memory\.add", "ringplace": r"self\.rings =", "translated": r"memory\.translate",
    "features": r"_word =", "closed": r"\.close\(", "holders": r"holders\(",
}  # fmt: skip
CALLED = {
    "ioctl": r"TUN|device\.", "eventfd2": r"os\.eventfd\(", "pipe2": r"os\.pipe2", "socket": r"socket\.socket\(",
    "getsockopt": r"socket\.socket\(", "close": r"close", "open": "open", "mmap": r"memory\.(add|cover)",
    "epoll_wait": r"poll\(", "epoll_ctl": r"_epoll\.modify", "read": r"os\.(eventfd_)?read\(", "writev": r"os\.writev",
    "write": r"eventfd_write",
}  # fmt: skip
VERBS = {
    "pop": "last_avail_idx",
    "map": "_map_or_rewind",
    "reap": "last_used_idx",
    "publish": r"store_avail_idx",
    "fill": r"store_used_entry",
    "flush": r"store_used_idx",
    "send": r"port\.|os\.writev",
    "receive": r"port\.|_read\(",
}


def wanted(event: Event) -> str | None:
    """What the shown line must hold."""
    kind = type(event.data).__name__.lower()
    if kind == "syscall":
        return CALLED[event.data.name]  # type: ignore[union-attr]
    return VERBS.get(event.data.verb) if kind == "action" else DID.get(kind)  # type: ignore[union-attr]


@pytest.mark.parametrize("lesson", ["1", "2", "4", "6", "7", "8", "9", "10", "11", "12", "14", "15", "16", "18"])
def test_the_line_shown_is_the_line_that_did_it(lesson: str, tmp_path: Path) -> None:
    require("tun")
    tour("record", lesson, "-o", tmp_path / "run.jsonl", "--device", "embedded")
    wrong = [
        f"{type(event.data).__name__} at {event.where}: {event.code}"
        for event in store.load(tmp_path / "run.jsonl").events
        if event.code and (piece := wanted(event)) and not re.search(piece, event.code)
    ]
    assert not wrong


def test_every_line_that_is_looked_for_by_its_text_is_there() -> None:
    missed, found = [], 0
    for path in [*(ROOT / "tour").rglob("*.py"), *(ROOT / "lessons").glob("*/scene.py")]:
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            if match := re.search(r'above="([^"]+)"', line):
                found += 1
                before = lines[max(0, number - 12) : number]
                if not any(match[1] in one and "above=" not in one for one in before) and match[1] != "port.":
                    missed.append(f"{path.name}:{number + 1}: {match[1]}")
    assert not missed and found > 15
