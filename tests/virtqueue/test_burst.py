"""Bursts of packets against the device queue in Python: the same rules as the driver queue that is there to be read."""

from __future__ import annotations

import array
import os
from collections.abc import Iterator
from random import Random

import pytest

from tour.abi import native
from tour.abi.names import Feature, word_of
from tour.errors import RingError, RingFault, TimedOut
from tour.memory.guest import PAGE, GuestMemory
from tour.virtqueue.burst import BurstPlace, BurstQueue, BurstReceiver, BurstSender, place
from tour.virtqueue.device import DeviceQueue
from tour.virtqueue.layout import RingLayout
from tour.virtqueue.ring import Ring

pytestmark = pytest.mark.requires("embedded")
PLAIN = word_of(Feature.VIRTIO_F_VERSION_1)
EVENT_IDX = word_of(Feature.VIRTIO_RING_F_EVENT_IDX)
INDIRECT = word_of(Feature.VIRTIO_RING_F_INDIRECT_DESC)
MERGEABLE = word_of(Feature.VIRTIO_NET_F_MRG_RXBUF)
BASE = 0x10000


class Bench:
    """A queue of bursts and the Python device at its other side, both at ``base``."""

    def __init__(self, kind: type[BurstQueue], num: int, room: int, features: int, base: int) -> None:
        self.where: BurstPlace = place(num, BASE, room)
        self.memory = GuestMemory([(BASE, self.where.end - BASE + PAGE)])
        self.kick = os.eventfd(0, os.EFD_NONBLOCK)
        self.queue = kind(self.memory, self.where, features, self.kick, base)
        ring, at = self.where.ring, self.memory.translate
        places = RingLayout(
            num, at(ring.desc, ring.desc_size), at(ring.avail, ring.avail_size), at(ring.used, ring.used_size)
        )
        self.device = DeviceQueue(Ring.at(places, self.memory.table, 1), self.memory.table, features)
        self.device.attach(base)

    def kicks(self) -> int:
        try:
            return os.eventfd_read(self.kick)
        except BlockingIOError:
            return 0

    def take(self) -> bytes | None:
        """The next packet, header first, as the device reads it; its chain is used."""
        chain = self.device.pop()
        if chain is None:
            return None
        data = b"".join(native.peek(span.hva, span.size) for span in self.device.map(chain).readable)
        self.device.fill(chain.head, 0)
        self.device.flush()
        return data

    def put(self, *pieces: bytes) -> None:
        """One packet into as many chains as there are pieces."""
        for n, piece in enumerate(pieces):
            chain = self.device.pop()
            assert chain is not None
            native.poke(self.device.map(chain).writable[0].hva, piece)
            self.device.fill(chain.head, len(piece), n)
        self.device.flush(len(pieces))


@pytest.fixture
def made() -> Iterator[list[Bench]]:
    benches: list[Bench] = []
    yield benches
    for bench in benches:
        bench.memory.close()
        os.close(bench.kick)


def sender(made: list[Bench], num: int = 8, room: int = 256, features: int = PLAIN, base: int = 0) -> Bench:
    made.append(Bench(BurstSender, num, room, features, base))
    return made[-1]


def receiver(made: list[Bench], num: int = 8, room: int = 256, features: int = PLAIN, base: int = 0) -> Bench:
    made.append(Bench(BurstReceiver, num, room, features, base))
    return made[-1]


def numbers(*values: int) -> array.array[int]:
    return array.array("I", values)


FEATURES = [PLAIN, PLAIN | EVENT_IDX, PLAIN | INDIRECT, PLAIN | EVENT_IDX | INDIRECT | MERGEABLE]


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("base", [0, 65530])
def test_random_bursts_arrive_whole_and_in_order(made: list[Bench], features: int, base: int) -> None:
    bench, random = sender(made, 16, 128, features, base), Random(base + features)
    queue, expected, got = bench.queue, [], []
    assert isinstance(queue, BurstSender)
    for _ in range(60):
        frames = [random.randbytes(random.randint(1, 700)) for _ in range(random.randint(1, 9))]
        taken = queue.send(b"".join(frames), numbers(*map(len, frames)))
        expected += frames[:taken]
        for _ in range(random.randint(0, 16)):
            data = bench.take()
            got += [data] if data is not None else []
    while (data := bench.take()) is not None:
        got.append(data)
    assert [data[:12] for data in got] == [bytes(12)] * len(got)
    assert [data[12:] for data in got] == expected and len(expected) > 60
    queue.reap()
    assert queue.counts()["packets"] == len(expected)


@pytest.mark.parametrize("features", [PLAIN, PLAIN | EVENT_IDX, PLAIN | MERGEABLE, PLAIN | EVENT_IDX | MERGEABLE])
@pytest.mark.parametrize("base", [0, 65530])
def test_what_the_device_delivers_is_received(made: list[Bench], features: int, base: int) -> None:
    bench, random = receiver(made, 8, 256, features, base), Random(base + features)
    queue, expected, got = bench.queue, [], []
    assert isinstance(queue, BurstReceiver) and queue.offer() == 8
    into, lengths, headers = bytearray(4096), numbers(*range(4)), bytearray(12 * 4)
    for _ in range(80):
        buffers = random.randint(1, 4) if features & MERGEABLE else 1
        frame = random.randbytes(random.randint(1, 244) + 256 * (buffers - 1))
        header = random.randbytes(10) + buffers.to_bytes(2, "little")
        packet = header + frame
        pieces = [packet[at : at + 256] for at in range(0, len(packet), 256)]
        header = header[:10] + len(pieces).to_bytes(2, "little")
        bench.put(header + pieces[0][12:], *pieces[1:])
        expected.append(header + frame)
        count, at = queue.recv(into, lengths, headers), 0
        for n in range(count):
            got.append(bytes(headers[12 * n : 12 * n + 12]) + bytes(into[at : at + lengths[n]]))
            at += lengths[n]
    assert got == expected


def test_a_burst_is_one_kick_and_none_while_the_device_looks(made: list[Bench]) -> None:
    bench = sender(made, 64, features=PLAIN)
    assert isinstance(bench.queue, BurstSender)
    assert bench.queue.send(bytes(64 * 20), 64) == 20 and bench.kicks() == 1
    bench.device.disable_kicks()
    assert bench.queue.send(bytes(64 * 5), 64) == 5 and bench.kicks() == 0
    assert bench.queue.counts() == {
        "packets": 25, "bytes": 25 * 64, "chains": 25, "publishes": 2, "kicks": 1, "kicks_saved": 1, "outstanding": 25,
    }  # fmt: skip


def test_with_event_idx_the_kick_waits_for_the_index_the_device_named(made: list[Bench]) -> None:
    bench = sender(made, 64, features=PLAIN | EVENT_IDX)
    assert isinstance(bench.queue, BurstSender)
    bench.queue.send(bytes(64), 64)
    assert bench.kicks() == 1
    bench.queue.send(bytes(64), 64)
    assert bench.kicks() == 0, "the device has not looked since, and asked for nothing"
    while bench.take() is not None:
        pass
    bench.device.disable_kicks()
    bench.device.enable_kicks()
    bench.queue.send(bytes(64), 64)
    assert bench.kicks() == 1


@pytest.mark.parametrize("features", [PLAIN, PLAIN | EVENT_IDX])
def test_calls_are_asked_for_by_number(made: list[Bench], features: int) -> None:
    bench = sender(made, 16, features=features)
    assert isinstance(bench.queue, BurstSender)
    bench.take()
    bench.device.needs_call()  # the first answer after attaching is always yes
    bench.queue.send(bytes(64 * 8), 64)
    assert not bench.queue.call_after(3)
    wanted = []
    for _ in range(3):
        bench.take()
        wanted.append(bench.device.needs_call())
    assert wanted[-1] and (not features & EVENT_IDX or wanted == [False, False, True])
    assert bench.queue.call_after(3), "they are there already"
    bench.queue.call_after(0)
    bench.take()
    assert not bench.device.needs_call()


def test_a_full_ring_takes_no_more_until_something_is_used(made: list[Bench]) -> None:
    bench = sender(made, 8)
    assert isinstance(bench.queue, BurstSender)
    assert bench.queue.send(bytes(64 * 12), 64) == 8
    assert bench.queue.send(bytes(64), 64) == 0
    bench.take()
    assert bench.queue.send(bytes(128), 64) == 1


def test_a_frame_of_64_kib_takes_one_descriptor_with_an_indirect_table(made: list[Bench]) -> None:
    direct, indirect = sender(made, 64, 2048), sender(made, 64, 2048, PLAIN | INDIRECT)
    frame = Random(1).randbytes(65226)
    for bench in (direct, indirect):
        assert isinstance(bench.queue, BurstSender)
        assert bench.queue.send(frame, len(frame), bytes(range(12))) == 1
        assert bench.take() == bytes(range(12)) + frame


def test_a_pump_without_a_device_gives_up_and_says_so(made: list[Bench]) -> None:
    bench = sender(made, 8)
    assert isinstance(bench.queue, BurstSender)
    call = os.eventfd(0, os.EFD_NONBLOCK)
    with pytest.raises(TimedOut, match="did not call"):
        bench.queue.pump(call, bytes(64 * 4), 64, 20)
    os.close(call)
    assert bench.queue.counts()["outstanding"] == 8


def test_what_the_caller_gets_wrong_is_a_value_error(made: list[Bench]) -> None:
    bench, other = sender(made, 8, 64), receiver(made, 8, 256)
    assert isinstance(bench.queue, BurstSender) and isinstance(other.queue, BurstReceiver)
    for frames, lengths in ((bytes(10), numbers(11)), (bytes(9000), 9000), (bytes(10), 0)):
        with pytest.raises(ValueError):
            bench.queue.send(frames, lengths)
    with pytest.raises(ValueError, match="headers"):
        bench.queue.send(bytes(20), 10, bytes(12))
    other.queue.offer()
    other.put(bytes(10) + b"\1\0" + bytes(100))
    with pytest.raises(ValueError, match="100 bytes"):
        other.queue.recv(bytearray(99), numbers(0))
    assert other.queue.recv(bytearray(100), numbers(0)) == 1
    with pytest.raises((TypeError, BufferError)):
        other.queue.recv(bytes(100), numbers(0))


def test_a_device_that_breaks_a_rule_is_not_believed(made: list[Bench]) -> None:
    def used(bench: Bench, idx: int, head: int, length: int) -> None:
        ring = bench.where.ring
        bench.memory.write(ring.used_ring(0), head.to_bytes(4, "little") + length.to_bytes(4, "little"))
        bench.memory.write(ring.used_idx, idx.to_bytes(2, "little"))

    cases = [
        (3, 0, 0, RingFault.USED_JUMP),
        (1, 9, 0, RingFault.NOT_OUTSTANDING),
        (1, 5, 0, RingFault.NOT_OUTSTANDING),
        (1, 0, 1, RingFault.USED_LENGTH),
    ]
    for idx, head, length, reason in cases:
        bench = sender(made, 8)
        assert isinstance(bench.queue, BurstSender)
        bench.queue.send(bytes(128), 64)
        used(bench, idx, head, length)
        with pytest.raises(RingError) as told:
            bench.queue.reap()
        assert told.value.reason is reason
    for length, header, reason in (
        (11, bytes(12), RingFault.SHORT_USED),
        (257, bytes(12), RingFault.USED_LENGTH),
        (64, bytes(12), RingFault.NUM_BUFFERS),
        (64, bytes(10) + b"\x09\0", RingFault.NUM_BUFFERS),
    ):
        bench = receiver(made, 8, 256, PLAIN | MERGEABLE)
        assert isinstance(bench.queue, BurstReceiver)
        bench.queue.offer()
        bench.memory.write(bench.where.slots, header)
        used(bench, 1, 0, length)
        with pytest.raises(RingError) as told:
            bench.queue.recv(bytearray(1000), numbers(0, 0))
        assert told.value.reason is reason


def test_a_place_is_whole_pages_and_its_slots_spread_over_the_cache() -> None:
    where = place(256, BASE, 2048)
    assert where.end % PAGE == 0 and where.tables % PAGE == 0
    assert where.stride >= 2048 and where.stride // 64 % 2 == 1
    with pytest.raises(ValueError):
        place(8, BASE, 12)
