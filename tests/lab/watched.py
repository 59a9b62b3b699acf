"""Runs in the lab, ``python -m tests.lab.watched FOLDER``: a QEMU with a tap and vhost=on whose guest pings, watched by
its QMP socket for a while. FOLDER gets ``watch.jsonl``, a recording, and ``found.json``, what else was seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.lab import pinger
from tour.agent import protocol
from tour.agent.watch_qmp import QmpSession
from tour.errors import TourError
from tour.net.address import bring_up
from tour.net.frames import PEER_IP, PEER_MAC, PREFIX
from tour.trace import events as ev
from tour.trace.store import Writer

TAP = "tap0"
UP_SECONDS = 360.0
WATCHED = 40
"""So many samples that show completions are waited for."""


def main(folder: Path) -> int:
    """Boot, watch, kill QEMU, tell."""
    boot = Path(tempfile.mkdtemp())
    pinger.prepare(boot)
    vhost = f"tap,id=n,ifname={TAP},script=no,downscript=no,vhost=on"
    process = subprocess.Popen(pinger.qemu(boot, "-netdev", vhost))
    try:
        _until(lambda: os.path.exists(f"/sys/class/net/{TAP}"), "the tap")
        bring_up(TAP, PEER_IP, PEER_MAC, PREFIX)
        _until(lambda: b"bytes from" in console(boot), "the guest to ping")
        found = watch(boot / "qmp", folder, process)
    finally:
        process.kill()
        process.wait()
        (folder / "console").write_bytes(console(boot))
    (folder / "found.json").write_text(json.dumps(found))
    return 0


def console(boot: Path) -> bytes:
    """What the guest said so far."""
    path = boot / "console"
    return path.read_bytes() if path.exists() else b""


def watch(qmp: Path, folder: Path, process: subprocess.Popen[bytes]) -> dict[str, object]:
    """Record what a watcher is told until enough was seen and QEMU was killed."""
    writer, events = Writer(folder / "watch.jsonl"), list[ev.Event]()
    ended, ends = threading.Event(), list[TourError | None]()

    def end(why: TourError | None) -> None:
        ends.append(why)
        ended.set()

    def hear(event: ev.Event) -> None:
        events.append(event)
        writer(event)

    session = QmpSession(qmp)
    session.start(hear, end, lambda text: None)
    session.send(protocol.Hold(1, 1))
    _until(lambda: sum(isinstance(e.data, ev.Sample) for e in events) >= WATCHED, "samples")
    process.kill()
    ended.wait(10)
    session.close()
    writer.close()
    why = ends[0] if ends else None
    return {"pid": process.pid, "kept": str(writer.error or ""), "end": why.what if why else ""}


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + UP_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {UP_SECONDS:g} s for {what}")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
