"""The engine's turns: packets out and in over a real port, in order, with exact indices."""

from __future__ import annotations

import pytest

from tests.csrc.rig import BUFFERS, EVENT_IDX, HEADER, MERGEABLE, RX, TX, Rig, until

pytestmark = pytest.mark.requires("embedded")


@pytest.mark.parametrize("features", [0, EVENT_IDX, EVENT_IDX | MERGEABLE])
@pytest.mark.parametrize("base", [0, 65535])
def test_packets_out_in_order(features: int, base: int) -> None:
    frames = [bytes([n]) * 60 for n in range(200)]
    with Rig(features, base=base) as rig:
        rig.start()
        heads = rig.send(*frames)
        assert [rig.peer.recv(2048) for _ in frames] == [bytes(HEADER) + frame for frame in frames]
        assert rig.reaped(TX, 200) == [(head, 0) for head in heads]
        until(rig.engine.idle)
        status, counts = rig.status(TX), rig.engine.counts(TX)
        assert status.last_avail_idx == status.used_shadow == (base + 200) % 65536
        assert (counts.packets, counts.chains, counts.bytes, counts.dropped) == (200, 200, 200 * 60, 0)
        assert counts.calls >= 1


@pytest.mark.parametrize("features", [0, MERGEABLE, EVENT_IDX])
def test_packets_in_order_into_the_ring(features: int) -> None:
    frames = [bytes([n]) * (60 + n) for n in range(100)]
    with Rig(features) as rig:
        rig.start()
        heads = rig.offer(120)
        for frame in frames:
            rig.peer.send(bytes(HEADER) + frame)
        used = rig.reaped(RX, 100)
        assert used == [(head, HEADER + len(frame)) for head, frame in zip(heads, frames, strict=False)]
        for at, frame in enumerate(frames):
            data = rig.memory.read(rig.place(at), HEADER + len(frame) + 1)
            last = b"\x01\x00" if features & MERGEABLE else b"\xee\xee"
            assert data == bytes(10) + last + frame + b"\xee", at
        until(rig.engine.idle)
        assert rig.status(RX).last_avail_idx == rig.status(RX).used_shadow == 100


def test_a_frame_over_several_buffers_says_how_many() -> None:
    frame = bytes(range(256)) * 5
    with Rig(MERGEABLE) as rig:
        rig.start()
        rig.offer(1, 0x200)
        rig.peer.send(bytes(HEADER) + frame)
        until(lambda: rig.status(RX).kicks_wanted and rig.engine.idle())
        assert rig.status(RX).last_avail_idx == 0, "one buffer is too little, nothing is taken"
        rig.offer(4, 0x200)
        used = rig.reaped(RX, 3)
        assert [length for _, length in used] == [0x200, 0x200, HEADER + len(frame) - 0x400]
        data = b"".join(rig.memory.read(BUFFERS[RX] + 0x1000 * n, used[n].len) for n in range(3))
        assert data == bytes(10) + b"\x03\x00" + frame
        rig.peer.send(bytes(HEADER) + b"small")
        assert rig.reaped(RX, 1)[0].len == HEADER + 5
        assert rig.status(RX).last_avail_idx == 4


def test_a_frame_too_large_for_its_one_buffer_is_dropped_and_the_buffer_stays() -> None:
    with Rig() as rig:
        rig.start()
        (head,) = rig.offer(1, 0x100)
        rig.peer.send(bytes(HEADER) + bytes(0x200))
        rig.peer.send(bytes(HEADER) + b"fits")
        assert rig.reaped(RX, 1) == [(head, HEADER + 4)]
        assert rig.engine.counts(RX).dropped == 1


def test_stop_and_go_on_where_it_was() -> None:
    with Rig(EVENT_IDX) as rig:
        rig.start()
        for n in range(40):
            rig.send(*(bytes([n]) * 60 for _ in range(5)))
            rig.stop()
            base = rig.engine.detach(TX)
            rig.attach(TX, base)
            rig.run()
        got = [rig.peer.recv(2048)[HEADER] for _ in range(200)]
        assert got == sorted(got)
        rig.reaped(TX, 200)


@pytest.mark.parametrize("features", [0, MERGEABLE])
def test_small_and_large_frames_in_any_order(features: int) -> None:
    """A frame larger than those before runs over its buffer: it and those read with it come whole, in order."""
    sizes = [60, 60, 60, 5000, 60, 61, 2036, 2037, 64, 3000, 60, 60, 60, 60, 7000, 60] * 2
    frames = [bytes([at]) * size for at, size in enumerate(sizes)]
    fit = [frame for frame in frames if features or HEADER + len(frame) <= 0x800]
    with Rig(features, frame_max=65550) as rig:
        rig.start()
        until(rig.engine.idle)
        rig.offer(256)
        # A socket takes ten; they are read together.
        for start in range(0, len(frames), 10):
            rig.engine.hold(RX, True)
            for frame in frames[start : start + 10]:
                rig.peer.send(bytes(HEADER) + frame)
            rig.engine.hold(RX, False)
            until(rig.engine.idle)
        chains = sum(-(-(HEADER + len(frame)) // 0x800) for frame in fit)
        used, got, at = rig.reaped(RX, chains), list[bytes](), 0
        while at < len(used):
            first = rig.memory.read(rig.place(at), used[at].len)
            count = int.from_bytes(first[10:12], "little") if features else 1
            parts = [rig.memory.read(rig.place(n), used[n].len) for n in range(at, at + count)]
            got.append(b"".join(parts)[HEADER:])
            at += count
        assert got == fit
        until(rig.engine.idle)
        assert rig.engine.counts(RX).dropped == len(frames) - len(fit)
        assert rig.status(RX).last_avail_idx == chains


def test_frames_that_wait_here_are_counted_lost_when_stopped() -> None:
    with Rig(MERGEABLE) as rig:
        rig.start()
        rig.offer(1, 0x100)
        rig.peer.send(bytes(HEADER) + bytes(1000))
        until(lambda: rig.status(RX).kicks_wanted and rig.engine.idle())
        rig.stop()
        assert rig.engine.detach(RX) == 0
        assert rig.engine.counts(RX).dropped == 1
