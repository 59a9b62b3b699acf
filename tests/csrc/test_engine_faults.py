"""What a driver does wrong, and memory that goes away: the ring concerned stops visibly, the rest goes on."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys

import pytest

from tests.csrc.rig import BUFFERS, HEADER, INDIRECT, MERGEABLE, RX, STRIDE, TX, Rig, until
from tests.support import ROOT
from tour.abi import native
from tour.virtqueue.ring import Desc

pytestmark = pytest.mark.requires("embedded")

NEXT, WRITE, TABLE = 1, 2, 4
NOWHERE = 0x7000_0000


def fault(name: str) -> int:
    return int(getattr(native.lib(), f"VT_{name}"))


def offer(rig: Rig, index: int, *descs: Desc, head: int = 0) -> None:
    """Write descriptors 0.. as they are, enter ``head``, publish, kick."""
    ring, queue = rig.rings[index], rig.drivers[index]
    for at, desc in enumerate(descs):
        ring.write_desc(at, desc)
    ring.store_avail_entry(queue.avail_shadow, head)
    queue.avail_shadow += 1
    ring.store_avail_idx(queue.avail_shadow)
    queue.kick()


GOOD = BUFFERS[TX]
BROKEN = {
    "HEAD_RANGE": ([], 300),
    "NEXT_RANGE": ([Desc(GOOD, 64, NEXT, 256)], 0),
    "CHAIN_LOOP": ([Desc(GOOD, 64, NEXT, 1), Desc(GOOD, 64, NEXT, 0)], 0),
    "BAD_ADDRESS": ([Desc(NOWHERE, 64)], 0),
    "INDIRECT_SIZE": ([Desc(GOOD, 40, TABLE)], 0),
    "INDIRECT_NEXT": ([Desc(GOOD, 32, TABLE | NEXT, 1)], 0),
    "READ_AFTER_WRITE": ([Desc(GOOD, 64, WRITE | NEXT, 1), Desc(GOOD, 64)], 0),
    "WRONG_DIRECTION": ([Desc(GOOD, 64, NEXT, 1), Desc(GOOD, 64, WRITE)], 0),
    "TOO_SHORT": ([Desc(GOOD, 4)], 0),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_stops_the_ring_after_all_that_came_before(name: str) -> None:
    descs, head = BROKEN[name]
    with Rig(INDIRECT, quarantine=True) as rig:
        rig.start()
        rig.send(b"before")
        assert rig.peer.recv(2048)[HEADER:] == b"before"
        rig.reaped(TX, 1)
        offer(rig, TX, *descs, head=head)
        until(lambda: rig.news)
        status = rig.status(TX)
        assert (rig.news, status.fault, status.broken) == ([4], fault(name), 1)
        assert os.eventfd_read(rig.errs[TX]) == 1
        assert rig.rings[TX].load_used_idx() == 1
        rig.drivers[TX].kick()
        rig.offer(1)
        rig.peer.send(bytes(HEADER) + b"still received")
        assert rig.reaped(RX, 1)[0].len == HEADER + 14
        assert (rig.news, rig.status(RX).broken) == ([4], 0)


def test_avail_idx_that_jumps() -> None:
    with Rig(quarantine=True) as rig:
        rig.start()
        rig.rings[TX].store_avail_idx(257)
        rig.drivers[TX].kick()
        until(lambda: rig.news)
        assert (rig.status(TX).fault, rig.status(TX).fault_value) == (fault("AVAIL_JUMP"), 257)


def test_kernel_policy_tries_the_same_head_again_with_the_next_kick() -> None:
    with Rig() as rig:
        rig.start()
        offer(rig, TX, Desc(NOWHERE, 64))
        until(lambda: rig.news == [4] and rig.engine.idle())
        assert rig.status(TX).broken == 0 and rig.status(TX).last_avail_idx == 0
        assert os.eventfd_read(rig.errs[TX]) == 1
        rig.memory.write(GOOD, bytes(HEADER) + b"mended")
        rig.rings[TX].write_desc(0, Desc(GOOD, HEADER + 6))
        rig.drivers[TX].kick()
        assert rig.peer.recv(2048)[HEADER:] == b"mended"


def test_a_broken_buffer_matters_only_when_a_frame_needs_it() -> None:
    with Rig(MERGEABLE, quarantine=True) as rig:
        rig.start()
        for at in range(2):
            rig.rings[RX].write_desc(at, Desc(BUFFERS[RX] + STRIDE * at, 0x200, WRITE))
            rig.rings[RX].store_avail_entry(at, at)
        rig.rings[RX].write_desc(2, Desc(NOWHERE, 0x200, WRITE))
        rig.rings[RX].store_avail_entry(2, 2)
        rig.rings[RX].store_avail_idx(3)
        rig.drivers[RX].kick()
        rig.peer.send(bytes(HEADER) + b"fits")
        until(lambda: rig.rings[RX].load_used_idx() == 1)
        assert rig.news == []
        rig.peer.send(bytes(HEADER) + bytes(0x300))
        until(lambda: rig.news)
        status = rig.status(RX)
        assert (status.fault, status.fault_at, status.last_avail_idx) == (fault("BAD_ADDRESS"), 2, 1)


def tear(rig: Rig, at: int, size: int = 0x1000) -> None:
    """Take memory away under the engine: the file's end moves before it, a touch is a SIGBUS."""
    region = rig.memory.regions[0]
    assert region.gpa == 0
    os.truncate(f"/proc/self/fd/{region.fd}", at)


def drop(rig: Rig, gpa: int, size: int) -> None:
    """Take the rights to guest memory away under the engine: a touch is a SIGSEGV, as where nothing is mapped."""
    libc = ctypes.CDLL(None, use_errno=True)
    hva = rig.memory.translate(gpa, size)
    assert libc.mprotect(ctypes.c_void_p(hva), ctypes.c_size_t(size), 0) == 0


@pytest.mark.parametrize("take", [tear, drop])
def test_buffers_that_are_gone(take: object) -> None:
    with Rig(quarantine=True, port=-1) as rig:
        rig.start()
        rig.send(b"before", b"before")
        rig.reaped(TX, 2)
        heads = rig.send(b"gone", kick=False)
        take(rig, 0x200000, 0x1000)  # type: ignore[operator]
        rig.memory.table.translate(0, 8)
        rig.rings[TX].write_desc(heads[0], Desc(0x200000, 64))
        rig.drivers[TX].kick()
        until(lambda: rig.news)
        status = rig.status(TX)
        assert (status.fault, status.broken, status.last_avail_idx) == (fault("BAD_ADDRESS"), 1, 2)
        assert status.fault_value == rig.memory.translate(0x200000, 1)


def test_the_kernel_answers_efault_and_the_chain_is_passed_over() -> None:
    with Rig() as rig:
        rig.start()
        drop(rig, 0x200000, 0x1000)
        offer(rig, TX, Desc(0x200000, 64))
        until(lambda: rig.news)
        assert (rig.status(TX).fault, rig.status(TX).last_avail_idx) == (fault("BAD_ADDRESS"), 1)
        rig.send(b"after", kick=False)
        rig.drivers[TX].kick()
        assert rig.peer.recv(2048)[HEADER:] == b"after"


def test_a_ring_that_is_gone() -> None:
    """Then another rig works in the same process."""
    with Rig(quarantine=True) as rig:
        rig.start()
        rig.send(b"before")
        rig.reaped(TX, 1)
        ring = rig.memory.translate(0x1000, 8)
        assert ring % 4096 == 0
        drop(rig, 0x1000 + 0x40000, 0x4000)
        rig.drivers[TX].kick()
        until(lambda: rig.news)
        assert (rig.status(TX).fault, rig.status(TX).broken) == (fault("BAD_ADDRESS"), 1)
        rig.offer(1)
        rig.peer.send(bytes(HEADER) + b"still received")
        rig.reaped(RX, 1)
        with Rig() as other:
            other.start()
            other.send(b"lives")
            assert other.peer.recv(2048)[HEADER:] == b"lives"
        assert rig.engine.detach(TX) == 1
        with pytest.raises(OSError, match="Bad address"):
            rig.attach(TX)


STRAY = """
import ctypes, faulthandler, signal, sys
from tests.csrc.rig import Rig
order = sys.argv[1]
if order == "before": faulthandler.enable()
with Rig() as rig:
    rig.start()
    rig.send(b"x")
    rig.peer.recv(99)
    if order == "after": faulthandler.enable()
    if order == "between":
        faulthandler.enable()
        rig.stop()
        rig.run()
        rig.send(b"x")
        rig.peer.recv(99)
    ctypes.string_at(8)
"""


@pytest.mark.parametrize("order", ["never", "before", "after", "between"])
def test_a_fault_that_is_not_ours_ends_the_process_as_ever(order: str) -> None:
    done = subprocess.run([sys.executable, "-c", STRAY, order], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGSEGV
    told = done.stderr.count("Segmentation fault")
    assert told == (order != "never") or (order == "between" and told <= 2)
