"""strace's lines, the sequence diagram, the capture file; and that no recording at all makes any form fall over."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import require
from tests.trace import hostile
from tests.trace.recordings import HELLO, events, reference
from tour.errors import CapabilityMissing, UsageError
from tour.trace import events as ev
from tour.trace.export import c, mermaid, pcapng, python, strace
from tour.trace.export.walk import program

RUN = reference("9").events
LINE = re.compile(r"(#.*|\w+\(.*\) *= (-1 E[A-Z0-9]+ \(.*\)|-?\d+|0x[0-9a-f]+)(  # only to look)?)")
ARROW = re.compile(r"    ([QGVTP](->>|-->>|-\))[QGVTP]|Note over Q,P): [^;#\n]+|    participant [QGVTP] as .+")


def test_every_line_reads_as_strace_s_or_as_a_remark() -> None:
    lines = strace.text(RUN).splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert 'write(15, "\\1\\0\\0\\0\\0\\0\\0\\0", 8)        = 8' in lines
    assert "ioctl(7, VHOST_GET_FEATURES, [0x33d008000]) = 0" in lines


def test_a_refusal_has_its_errno_and_words() -> None:
    call = ev.Ioctl("VHOST_SET_VRING_NUM", 1, 7, {"index": 1, "num": 3}, "", -1, "EINVAL")
    hello = ev.Hello(1, 2, "0.1", "kernel", "6.1.0", "tap", "5", "2026-01-01T00:00:00Z")
    told = strace.text([*events(hello, actor="tour"), *events(call, actor="control")])
    assert told == "ioctl(7, VHOST_SET_VRING_NUM, {index=1, num=3}) = -1 EINVAL (Invalid argument)\n"


def test_a_store_is_no_system_call() -> None:
    stores = [line for line in strace.text(RUN, "refill").splitlines() if "avail.idx" in line]
    assert stores == ["# no system call: rx avail.idx = [10]"]


def test_the_diagram_has_five_parties_and_only_arrows_between_them() -> None:
    head, *lines = mermaid.text(RUN).splitlines()
    assert head == "sequenceDiagram" and sum("participant" in line for line in lines) == 5
    assert [line for line in lines if not ARROW.fullmatch(line)] == []
    assert sum("-)V: kick tx" in line for line in lines) == 2
    assert sum("P->>T" in line for line in lines) == 2


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """Kind and body of every block, both lengths of each compared."""
    found = []
    while data:
        kind, size = struct.unpack_from("<II", data)
        assert size % 4 == 0 and struct.unpack_from("<I", data, size - 4)[0] == size
        found.append((kind, data[8 : size - 4]))
        data = data[size:]
    return found


def test_the_capture_holds_the_frames_their_times_and_steps() -> None:
    made = blocks(pcapng.data(RUN))
    assert [kind for kind, _ in made] == [0x0A0D0D0A, 1, 6, 6, 6, 6]
    frames = [bytes.fromhex(event.data.frame) for event in RUN if isinstance(event.data, ev.Packet)]
    times = []
    for (_, body), frame in zip(made[2:], frames, strict=True):
        _, high, low, size, _ = struct.unpack_from("<IIIII", body)
        assert body[20 : 20 + size] == frame
        times.append(high << 32 | low)
    assert times == sorted(times) and times[0] // 10**9 > 1_600_000_000
    assert b"9:ask" in made[2][1] and b"9:ping" in made[5][1] and b"tap0" in made[1][1]
    assert b"virtio_net_hdr 00 00 00 00 00 00 00 00 00 00 01 00" in made[3][1]


def probe_tcpdump() -> None:
    """Raises CapabilityMissing without tcpdump."""
    if shutil.which("tcpdump") is None:
        raise CapabilityMissing("tcpdump", "There is no tcpdump.")


def test_tcpdump_reads_the_capture(tmp_path: Path) -> None:
    require("tcpdump", probe_tcpdump)
    path = tmp_path / "lesson.pcapng"
    path.write_bytes(pcapng.data(RUN))
    told = subprocess.run(["tcpdump", "-nn", "-r", str(path)], capture_output=True, text=True, check=True).stdout
    assert [line.split(" ", 1)[1].split(",")[0] for line in told.splitlines()] == [
        "ARP", "ARP", "IP 10.0.2.1 > 10.0.2.2: ICMP echo request", "IP 10.0.2.2 > 10.0.2.1: ICMP echo reply",
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(hostile.events, max_size=4))
def test_whatever_was_recorded_is_written_or_refused(told: list[ev.Event]) -> None:
    run = [
        *events(HELLO, actor="tour"),
        *events(ev.RingPlace(0, 8, 0, 128, 152), ev.RingPlace(1, 8, 256, 384, 408)),
        *told,
    ]
    for form in (mermaid.text, strace.text, pcapng.data):
        try:
            assert form(run) is not None
        except UsageError:
            continue
    try:
        whole = program(run)
        assert c.text(whole)
        compile(python.text(whole), "lesson.py", "exec")
    except UsageError:
        pass
