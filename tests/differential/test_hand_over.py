"""A ring goes from one gear to the other and back while packets flow: the stop is exact, none is lost or doubled."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tour.abi.names import Feature, word_of
from tour.device.contract import RX, TX, RingAddresses
from tour.device.embedded import EmbeddedDevice
from tour.memory.guest import GuestMemory
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import plan
from tour.virtqueue.ring import Ring

NUM, HAND_OVERS, MOVED = 64, 40, 30
"""Ring size; how often it changes hands; how many packets at least go by between two changes."""
BUFFER, SIZE = 0x10000, 2048
EVENT_IDX = Feature.VIRTIO_RING_F_EVENT_IDX
FEATURES = word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_NET_F_MRG_RXBUF)
SECONDS = 60.0


class Stand:
    """One ring in one memory, one port, and a device of each gear that knows all but the backend socket."""

    def __init__(self, stack: ExitStack, index: int, features: int) -> None:
        self.index = index
        self.memory = stack.enter_context(GuestMemory([(0, 0x8000), (BUFFER, NUM * SIZE)]))
        self.ring = Ring(self.memory, plan(NUM, 0), index)
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.ours, self.theirs):
            stack.callback(end.close)
            end.setblocking(False)
        self.kick = os.eventfd(0, os.EFD_NONBLOCK)
        stack.callback(os.close, self.kick)
        self.driver = DriverQueue(self.ring, features, kick=lambda: os.eventfd_write(self.kick, 1))
        self.devices = [EmbeddedDevice(gear="python"), EmbeddedDevice(gear="engine")]
        for device in self.devices:
            stack.callback(device.close)
            self._introduce(device, features)
        self.failed: list[BaseException] = []
        self.switched = 0

    def _introduce(self, device: EmbeddedDevice, features: int) -> None:
        device.set_owner()
        device.set_features(features)
        device.set_mem_table(self.memory.table)
        device.set_vring_num(self.index, NUM)
        hva = self.ring.hva
        device.set_vring_addr(self.index, RingAddresses(hva.desc, hva.avail, hva.used))
        device.set_vring_kick(self.index, self.kick)

    def hand_over(self, moved: Callable[[], int]) -> None:
        """From one to the other, again and again, each time when ``moved`` says that packets went by."""
        running, waiting = self.devices
        running.start(self.index, self.ours)
        for _ in range(HAND_OVERS):
            _until(moved, moved() + MOVED)
            base = running.stop(self.index)
            assert base == self.ring.load_used_idx(), "something was in flight after the stop"
            waiting.set_vring_base(self.index, base)
            waiting.start(self.index, self.ours)
            running, waiting = waiting, running
            self.switched += 1

    def while_handed_over(self, moved: Callable[[], int], work: Callable[[], object]) -> None:
        """Do ``work`` again and again until the last hand-over."""
        self._meanwhile(lambda: self.hand_over(moved), work)
        assert self.switched == HAND_OVERS
        assert all(device.counters(self.index).chains for device in self.devices)

    def while_told_again(self, moved: Callable[[], int], work: Callable[[], object]) -> None:
        """Do ``work`` while control tells the running engine everything again and again."""
        engine, index, hva = self.devices[1], self.index, self.ring.hva
        engine.start(index, self.ours)

        def tell() -> None:
            for _ in range(HAND_OVERS):
                _until(moved, moved() + MOVED)
                engine.set_mem_table(self.memory.table)
                engine.set_features(engine.acknowledged)
                engine.set_vring_addr(index, RingAddresses(hva.desc, hva.avail, hva.used))
                engine.set_vring_kick(index, self.kick)
                engine.get_vring_base(index)
                self.switched += 1

        self._meanwhile(tell, work)
        assert self.switched == HAND_OVERS

    def _meanwhile(self, act: Callable[[], None], work: Callable[[], object]) -> None:
        thread = threading.Thread(target=self._guarded, args=(act,))
        thread.start()
        end = time.monotonic() + SECONDS
        while thread.is_alive() and time.monotonic() < end:
            work()
        thread.join(5)
        assert not self.failed, self.failed

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failed.append(error)


def _until(moved: Callable[[], int], enough: int) -> None:
    end = time.monotonic() + SECONDS
    while moved() < enough:
        assert time.monotonic() < end, "nothing moved"
        time.sleep(0)


Meanwhile = Callable[[Stand, Callable[[], int], Callable[[], object]], None]


@pytest.fixture(params=[FEATURES, FEATURES | EVENT_IDX.mask], ids=["flags", "event idx"])
def features(request: pytest.FixtureRequest) -> Iterator[int]:
    yield request.param


def _frame(number: int) -> bytes:
    return bytes(12) + struct.pack("<Q", number) + bytes(number % 60 + 40)


@pytest.mark.parametrize("meanwhile", [Stand.while_handed_over, Stand.while_told_again])
def test_packets_going_out(features: int, meanwhile: Meanwhile) -> None:
    with ExitStack() as stack:
        stand = Stand(stack, TX, features)
        sent = 0
        got: list[int] = []
        slots: dict[int, int] = {}
        free = list(range(NUM))

        def receive() -> None:
            try:
                while True:
                    got.append(struct.unpack_from("<Q", stand.theirs.recv(4096), 12)[0])
            except BlockingIOError:
                pass

        def work() -> None:
            nonlocal sent
            while used := stand.driver.reap():
                free.append(slots.pop(used.head))
            while free and sent - len(got) < 2 * NUM:
                slot = free.pop()
                data = _frame(sent)
                stand.memory.write(BUFFER + slot * SIZE, data)
                slots[stand.driver.add(out=[(BUFFER + slot * SIZE, len(data))])] = slot
                stand.driver.publish()
                sent += 1
            if stand.driver.needs_kick():
                stand.driver.kick()
            receive()

        meanwhile(stand, lambda: len(got), work)
        end = time.monotonic() + SECONDS
        while len(got) < sent and time.monotonic() < end:
            receive()
        assert got == list(range(sent)) and sent >= HAND_OVERS * MOVED


@pytest.mark.parametrize("meanwhile", [Stand.while_handed_over, Stand.while_told_again])
def test_packets_coming_in(features: int, meanwhile: Meanwhile) -> None:
    with ExitStack() as stack:
        stand = Stand(stack, RX, features)
        sent = 0
        got: list[int] = []
        slots: dict[int, int] = {}

        def offer(slot: int) -> None:
            slots[stand.driver.add(in_=[(BUFFER + slot * SIZE, SIZE)])] = slot

        def reap() -> None:
            while used := stand.driver.reap():
                slot = slots.pop(used.head)
                got.append(struct.unpack_from("<Q", stand.memory.read(BUFFER + slot * SIZE + 12, 8))[0])
                assert used.len == len(_frame(got[-1]))
                offer(slot)
            stand.driver.publish()
            if stand.driver.needs_kick():
                stand.driver.kick()

        def work() -> None:
            nonlocal sent
            try:
                while sent - len(got) < 3 * NUM:
                    stand.theirs.send(_frame(sent))
                    sent += 1
            except BlockingIOError:
                pass
            reap()

        for slot in range(NUM):
            offer(slot)
        meanwhile(stand, lambda: len(got), work)
        end = time.monotonic() + SECONDS
        while len(got) < sent and time.monotonic() < end:
            reap()
        assert got == list(range(sent)) and sent >= HAND_OVERS * MOVED
