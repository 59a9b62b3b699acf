"""The two gears are one device: any ring, any faults, the same memory, completions, calls, errors and frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.differential.twins import DATA, END, RING_AT, Setting, TapWire, Twin, Twins, table
from tests.support import in_own_network
from tour.abi.names import Feature, word_of
from tour.device.contract import RX, TX
from tour.virtqueue.layout import plan
from tour.virtqueue.ring import Desc

OPTIONS = (
    Feature.VIRTIO_RING_F_EVENT_IDX,
    Feature.VIRTIO_RING_F_INDIRECT_DESC,
    Feature.VIRTIO_F_NOTIFY_ON_EMPTY,
    Feature.VIRTIO_NET_F_MRG_RXBUF,
    Feature.VIRTIO_F_VERSION_1,
    Feature.VHOST_F_LOG_ALL,
    Feature.VHOST_NET_F_VIRTIO_NET_HDR,
)
TABLES = (0x3800, 0x3FD0, 0x4400, 0x5FC0)
"""Where indirect tables lie; the second runs from one region into the next, the last to the hole's brink."""
WRITE, INDIRECT = 2, 4
SLOT = 0x200
TABLE_LEN = 6
PATTERN = bytes((n * 31 + n // 256) & 0xFF for n in range(END - DATA))

data = st.integers(0, 40).map(lambda n: DATA + SLOT * n)
anywhere = st.one_of(
    data, st.sampled_from((0x0, 0x800, 0x3FF0, 0x5FF0, 0x6000, 0x7FFF, (1 << 64) - 8, DATA + 0x7FF0, 0x2000))
)
lengths = st.one_of(
    st.integers(0, 80), st.sampled_from((0, 1, 10, 11, 12, 13, 16, 100, 0x1F0, 4096, 0x20001, 0xFFFFFFFF))
)
readable = st.builds(Desc, anywhere, lengths, st.sampled_from((0, 1)), st.integers(0, 15))
writable = st.builds(Desc, data, st.integers(0, SLOT), st.sampled_from((2, 3)), st.integers(0, 15))
indirect = st.builds(
    Desc, st.sampled_from(TABLES), st.sampled_from((0, 8, 16, 32, 48, 96, 96)), st.sampled_from((4, 4, 4, 5, 6)),
    st.integers(0, 15),
)  # fmt: skip
descs = st.one_of(readable, writable, indirect)
tables = st.builds(Desc, st.sampled_from(TABLES), st.just(16 * TABLE_LEN), st.just(INDIRECT), st.just(0))
outs = st.builds(Desc, data, st.integers(12, SLOT), st.sampled_from((0, 0, 0, 1)), st.integers(0, 15))
ins = st.builds(Desc, data, st.integers(12, SLOT), st.sampled_from((2, 2, 2, 3)), st.integers(0, 15))
sizes = st.one_of(st.integers(12, 300), st.integers(12, 300), st.integers(12, 1600))
frames = st.lists(sizes.map(lambda n: bytes(k * 7 + n & 0xFF for k in range(n))), max_size=9)


@st.composite
def rings(draw: st.DrawFn, index: int) -> dict[str, Any]:
    """Control's setting, and what the driver left in memory: nearly everything in order, or nothing."""
    num = draw(st.sampled_from((1, 2, 4, 8, 16)))
    chosen = draw(st.sets(st.sampled_from(OPTIONS)))
    if index == RX:
        # Else the port's header is not the ring's, and nothing is ever delivered: a test of its own.
        chosen = chosen - {Feature.VHOST_NET_F_VIRTIO_NET_HDR} | {Feature.VIRTIO_F_VERSION_1}
    policy = draw(st.sampled_from(("kernel", "quarantine")))
    logged = draw(st.booleans())
    base = draw(st.sampled_from((0, 1, 0xFFFE, 0xFFFF, 0x8000)))
    good = outs if index == TX else ins
    entry = st.one_of(good, good, good, descs) if draw(st.booleans()) else good
    one = st.one_of(entry, entry, tables) if Feature.VIRTIO_RING_F_INDIRECT_DESC in chosen else entry
    jump = draw(st.integers(0, 15)) == 0
    ring = {
        "setting": Setting(index, num, base, word_of(*chosen), policy, logged),
        "descs": draw(st.lists(one, min_size=num, max_size=num)),
        "tables": [draw(st.lists(entry, min_size=TABLE_LEN, max_size=TABLE_LEN)) for _ in TABLES],
        "heads": draw(st.permutations(range(num))) if draw(st.booleans()) else draw(_heads(num)),
        "ahead": draw(st.integers(0, 0xFFFF if jump else num)),
        "flags": draw(st.sampled_from((0, 1))),
        "event": draw(st.one_of(st.just(base), st.integers(0, 3).map(lambda n: base + n & 0xFFFF))),
        "used": draw(st.sampled_from((base, 0, 0xFFFF))),
    }
    return ring if index == TX else _apart(ring)


def _apart(ring: dict[str, Any]) -> dict[str, Any]:
    """A receive ring in which no buffer belongs to two chains, none is offered twice: what lies in memory that is
    offered twice depends on who writes first, and that is the driver's own fault, not a difference."""
    num = ring["setting"].num
    heads = [n for n in range(num) if n % 2 == 0]
    ring["heads"] = [heads[n % len(heads)] for n in range(num)]
    ring["offers"] = len(heads)
    ring["ahead"] = ring["ahead"] if ring["ahead"] > num else min(ring["ahead"], len(heads))
    ring["descs"] = [_own(desc, n, 0, num, alone=n % 2 == 1) for n, desc in enumerate(ring["descs"])]
    ring["tables"] = [
        [_own(desc, n, 16 + TABLE_LEN * at, TABLE_LEN + 1, alone=False) for n, desc in enumerate(entries)]
        for at, entries in enumerate(ring["tables"])
    ]
    return ring


def _own(desc: Desc, n: int, first: int, limit: int, *, alone: bool) -> Desc:
    """The descriptor with its own memory or table, leading to the one after it if to any."""
    addr, size, flags, _ = desc
    if flags & INDIRECT:
        return Desc(TABLES[n // 2 % len(TABLES)], size, flags if n < 2 * len(TABLES) else 0, limit)
    here = DATA + SLOT * (first + n) if flags & WRITE else addr
    return Desc(here, min(size, SLOT) if flags & WRITE else size, flags & ~1 if alone else flags, n + 1)


def _heads(num: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from((*range(num), *range(num), num)), min_size=num, max_size=num)


def _prepare(twin: Twin, ring: dict[str, Any]) -> None:
    """Put the ring into memory, with nothing published that ``ahead`` does not publish."""
    setting = twin.setting
    twin.memory.write(DATA, PATTERN)
    for at, entries in zip(TABLES, ring["tables"], strict=True):
        twin.memory.write(at, table(entries)[: 0x6000 - at])
    _rewrite(twin, ring)
    twin.ring.store_avail_flags(ring["flags"])
    twin.ring.store_used_event(ring["event"])
    twin.ring.write_base(ring["used"])
    twin.ring.store_avail_idx((setting.base + ring["ahead"]) & 0xFFFF)


def _rewrite(twin: Twin, ring: dict[str, Any]) -> None:
    for number, desc in enumerate(ring["descs"]):
        twin.ring.write_desc(number, desc)
    for slot, head in enumerate(ring["heads"]):
        twin.ring.store_avail_entry(slot, head)


@st.composite
def moves(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """What happens after the start."""
    kinds = ("kick", "kick", "publish", "publish", "feed", "stop and start", "mend", "addresses", "event")
    found: list[tuple[str, Any]] = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5)):
        found.append((kind, draw(frames) if kind == "feed" else draw(st.integers(1, 4))))
    return found


def _move(twin: Twin, ring: dict[str, Any], kind: str, what: Any) -> None:
    setting = twin.setting
    if kind == "kick":
        twin.kick()
    elif kind == "publish":
        ahead = (twin.ring.load_avail_idx() - twin.device.status(setting.index).last_avail_idx) & 0xFFFF
        if ahead + what <= ring.get("offers", 0xFFFF):
            twin.ring.store_avail_idx((twin.ring.load_avail_idx() + what) & 0xFFFF)
        twin.kick()
    elif kind == "feed":
        twin.feed(what)
    elif kind == "stop and start":
        base = twin.device.stop(setting.index)
        twin.device.set_vring_base(setting.index, (base + what - 1) & 0xFFFF)
        twin.device.start(setting.index, twin.wire.port)
    elif kind == "addresses":
        twin.tell_addresses()
    elif kind == "event":
        twin.ring.store_used_event((twin.ring.load_used_idx() + what - 1) & 0xFFFF)
        twin.ring.store_avail_flags(what & 1)
    else:
        _mend(twin)


def _mend(twin: Twin) -> None:
    """The driver puts everything right, zeroes headers, and offers one chain more from where the device is."""
    for n in range(twin.setting.num):
        flags = 0 if twin.setting.index == TX else WRITE
        twin.memory.fill(DATA + SLOT * n, 12)
        twin.ring.write_desc(n, Desc(DATA + SLOT * n, 0x180, flags))
        twin.ring.store_avail_entry(n, n)
    twin.ring.store_avail_idx((twin.device.status(twin.setting.index).last_avail_idx + 1) & 0xFFFF)
    twin.kick()


def _run(ring: dict[str, Any], first: list[bytes], then: list[tuple[str, Any]]) -> None:
    with ExitStack() as stack:
        twins = Twins(stack, ring["setting"])
        twins.used = ring["used"]
        twins.do(lambda twin: _prepare(twin, ring))
        twins.do(lambda twin: twin.feed(first))
        twins.do(Twin.start)
        twins.compare()
        for kind, what in then:
            twins.do(lambda twin, kind=kind, what=what: _move(twin, ring, kind, what))  # type: ignore[misc]
            twins.compare()


common = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False)


@common
@given(ring=rings(TX), then=moves())
def test_transmit(ring: dict[str, Any], then: list[tuple[str, Any]]) -> None:
    _run(ring, [], then)


@common
@given(ring=rings(RX), first=frames, then=moves())
def test_receive(ring: dict[str, Any], first: list[bytes], then: list[tuple[str, Any]]) -> None:
    _run(ring, first, then)


def _frame(n: int) -> bytes:
    """An experimental frame (IEEE 802 EtherType 0x88b5) nobody answers, of a size of its own."""
    return bytes.fromhex("02000000000202000000000188b5") + bytes((n + k) & 0xFF for k in range(46 + n % 40))


@in_own_network
def test_many_at_once_into_a_tap() -> None:
    """More than a batch, more than a turn: where the engine writes many frames with one call. A fault amid them."""
    num = 128
    with ExitStack() as stack:
        setting = Setting(TX, num, 0xFFF0, word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_RING_F_EVENT_IDX))
        twins = Twins(stack, setting, TapWire)

        def offer(twin: Twin) -> None:
            for n in range(num):
                data = bytes(12) + _frame(n)
                twin.memory.write(DATA + 0x80 * n, data)
                twin.ring.write_desc(n, Desc(DATA + 0x80 * n, len(data) if n != 100 else 5))
                twin.ring.store_avail_entry(0xFFF0 + n, n)
            twin.ring.write_base(0xFFF0)
            twin.ring.store_avail_idx((0xFFF0 + num) & 0xFFFF)

        twins.do(offer)
        twins.do(Twin.start)
        seen = twins.compare()
        assert [frame for frame in seen.frames if frame[12:14] == b"\x88\xb5"] == [_frame(n) for n in range(100)]
        assert seen.broken == ("chain is shorter than virtio_net_hdr",)
        twins.do(lambda twin: twin.ring.write_desc(100, Desc(DATA + 0x80 * 100, 12 + len(_frame(100)))))
        twins.do(Twin.kick)
        assert len(twins.compare().frames) >= num


@pytest.mark.parametrize("features", [(), (Feature.VIRTIO_F_VERSION_1, Feature.VHOST_NET_F_VIRTIO_NET_HDR)])
def test_a_port_with_another_header_delivers_nothing(features: tuple[Feature, ...]) -> None:
    with ExitStack() as stack:
        twins = Twins(stack, Setting(RX, 4, 0, word_of(*features)))
        twins.do(_mend)
        twins.do(Twin.start)
        twins.do(lambda twin: twin.feed([bytes(60), bytes(70)]))
        assert twins.compare().indices[:2] == (0, 0)
        assert all(twin.counters.dropped == 2 for twin in twins.both)


@pytest.fixture
def transmit() -> Iterator[Twins]:
    with ExitStack() as stack:
        yield Twins(stack, Setting(TX, 16, 0, word_of(Feature.VIRTIO_F_VERSION_1)))


def test_a_difference_is_seen(transmit: Twins) -> None:
    transmit.do(Twin.start)
    transmit.compare()
    transmit.both[1].memory.write(plan(16, RING_AT).used + 2, b"\x01\x00")
    with pytest.raises(AssertionError, match="memory differs"):
        transmit.compare()
