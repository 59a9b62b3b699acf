"""A queue pair goes from one device to another and back, again and again, while packets flow both ways through a tap.

``python -m tests.scene.hand_overs FIRST SECOND [COUNT]`` (``kernel``, ``python``, ``engine``) prints what was seen as
JSON, in a network of its own: natively under ``in_own_network``, in the lab as it is.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import time
from contextlib import ExitStack

from tour.abi.names import Feature, word_of
from tour.device.contract import RX, TX, RingAddresses, VhostDevice
from tour.device.embedded import EmbeddedDevice
from tour.memory.guest import GuestMemory
from tour.net.frames import NET_HDR_LEN
from tour.net.links import open_links
from tour.net.port import open_port
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import plan
from tour.virtqueue.ring import Ring

NUM, ROOM, WINDOW = 256, 2048, 256
"""Ring size, bytes of a buffer, frames that may be on their way to the guest at any time."""
BUFFERS = {TX: 0x100000, RX: 0x100000 + NUM * ROOM}
MOVED = 20
"""Frames that go by each way, at least, between two hand-overs."""
TO_GUEST, FROM_GUEST = 0x88B5, 0x88B6
GUEST, PEER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
FEATURES = word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_NET_F_MRG_RXBUF, Feature.VIRTIO_RING_F_EVENT_IDX)
SECONDS = 30.0
NUMBER = struct.Struct(">Q")


def make(kind: str) -> VhostDevice:
    """A device by name."""
    if kind == "kernel":
        from tour.device.kernel import KernelDevice

        return KernelDevice()
    return EmbeddedDevice(gear="engine" if kind == "engine" else "python")


class Load:
    """One guest memory with both rings, a tap, the peer's two sockets, and two devices that know all but the tap."""

    def __init__(self, stack: ExitStack, kinds: tuple[str, str]) -> None:
        self.port = open_port(choice="tap")
        stack.callback(self.port.close)
        spans = [(0, 0x100000), (BUFFERS[TX], 2 * NUM * ROOM)]
        self.memory = stack.enter_context(GuestMemory(spans))
        self.rings = {index: Ring(self.memory, plan(NUM, 0x20000 * (index + 1)), index) for index in (RX, TX)}
        self.kicks = {index: os.eventfd(0, os.EFD_NONBLOCK) for index in (RX, TX)}
        for fd in self.kicks.values():
            stack.callback(os.close, fd)
        self.drivers = {index: self._driver(index) for index in (RX, TX)}
        self.devices = [make(kind) for kind in kinds]
        for device in self.devices:
            stack.callback(device.close)
            self._introduce(device)
        self.speaks = stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        self.hears = stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(FROM_GUEST)))
        self.speaks.bind((self.port.name, 0))
        self.hears.bind((self.port.name, FROM_GUEST))
        self.hears.setblocking(False)
        self.sent = {index: 0 for index in (RX, TX)}
        self.got: dict[int, list[int]] = {RX: [], TX: []}
        self.slots: dict[int, dict[int, int]] = {RX: {}, TX: {}}
        self.free = list(range(NUM))
        self.switched, self.failed = 0, ""
        self.wrong = 0

    def _driver(self, index: int) -> DriverQueue:
        return DriverQueue(self.rings[index], FEATURES, kick=lambda: os.eventfd_write(self.kicks[index], 1))

    def _introduce(self, device: VhostDevice) -> None:
        device.set_owner()
        device.set_features(FEATURES)
        device.set_mem_table(self.memory.table)
        for index, ring in self.rings.items():
            device.set_vring_num(index, NUM)
            device.set_vring_addr(index, RingAddresses(ring.hva.desc, ring.hva.avail, ring.hva.used))
            device.set_vring_kick(index, self.kicks[index])

    # --- the guest and its peer -------------------------------------------------------------------------

    def offer(self, slot: int) -> None:
        """A buffer to receive into."""
        self.slots[RX][self.drivers[RX].add(in_=[(BUFFERS[RX] + slot * ROOM, ROOM)])] = slot

    def work(self, more: bool) -> None:
        """One round of all parties; with ``more`` new frames begin their way."""
        if more:
            self._send_to_guest()
            self._send_from_guest()
        self._receive()
        self._hear()

    def _send_to_guest(self) -> None:
        for _ in range(min(16, WINDOW - (self.sent[RX] - len(self.got[RX])))):
            self.speaks.send(GUEST + PEER + struct.pack(">H", TO_GUEST) + NUMBER.pack(self.sent[RX]) + bytes(46))
            self.sent[RX] += 1

    def _send_from_guest(self) -> None:
        tx = self.drivers[TX]
        while (used := tx.reap()) is not None:
            self.free.append(self.slots[TX].pop(used.head))
        room = min(16, len(self.free), WINDOW - (self.sent[TX] - len(self.got[TX])))
        for _ in range(room):
            slot = self.free.pop()
            data = PEER + GUEST + struct.pack(">H", FROM_GUEST) + NUMBER.pack(self.sent[TX]) + bytes(46)
            self.memory.write(BUFFERS[TX] + slot * ROOM, bytes(NET_HDR_LEN) + data)
            self.slots[TX][tx.add(out=[(BUFFERS[TX] + slot * ROOM, NET_HDR_LEN + len(data))])] = slot
            self.sent[TX] += 1
        self._publish(TX)

    def _publish(self, index: int) -> None:
        driver = self.drivers[index]
        driver.publish()
        if driver.needs_kick():
            driver.kick()

    def _receive(self) -> None:
        rx, reaped = self.drivers[RX], 0
        while (used := rx.reap()) is not None:
            slot = self.slots[RX].pop(used.head)
            data = self.memory.read(BUFFERS[RX] + slot * ROOM, used.len)[NET_HDR_LEN:]
            if data[12:14] == struct.pack(">H", TO_GUEST):
                self.got[RX].append(NUMBER.unpack_from(data, 14)[0])
            else:
                self.wrong += 1
            self.offer(slot)
            reaped += 1
        if reaped:
            self._publish(RX)

    def _hear(self) -> None:
        try:
            while True:
                self.got[TX].append(NUMBER.unpack_from(self.hears.recv(2048), 14)[0])
        except BlockingIOError:
            pass

    # --- the hand-overs ---------------------------------------------------------------------------------

    def hand_over(self, count: int) -> None:
        """From one to the other ``count`` times, each time when frames went by both ways."""
        running, waiting = self.devices
        for index in (RX, TX):
            running.start(index, self.port)
        for _ in range(count):
            self._wait()
            for index in (TX, RX):
                base = running.stop(index)
                assert base == self.rings[index].load_used_idx(), "something was half done after the stop"
                waiting.set_vring_base(index, base)
            for index in (RX, TX):
                waiting.start(index, self.port)
            running, waiting = waiting, running
            self.switched += 1
        self._wait()

    def _wait(self) -> None:
        goal = {index: len(self.got[index]) + MOVED for index in (RX, TX)}
        end = time.monotonic() + SECONDS
        while any(len(self.got[index]) < goal[index] for index in goal):
            assert time.monotonic() < end, f"nothing moved after {self.switched} hand-overs"
            time.sleep(0.0005)

    def guarded(self, count: int) -> None:
        """``hand_over``, its failure kept."""
        try:
            self.hand_over(count)
        except Exception as error:  # noqa: BLE001 - told in what was seen
            self.failed = repr(error)

    def run(self, count: int) -> None:
        """Work until the last hand-over, then until nothing is on its way."""
        for slot in range(NUM):
            self.offer(slot)
        self._publish(RX)
        thread = threading.Thread(target=self.guarded, args=(count,), daemon=True)
        thread.start()
        while thread.is_alive():
            self.work(more=True)
        thread.join()
        end = time.monotonic() + 10
        while any(len(self.got[i]) < self.sent[i] for i in (RX, TX)) and time.monotonic() < end:
            self.work(more=False)

    def seen(self) -> dict[str, object]:
        """What a test asks about."""
        exact = {index: self.got[index] == list(range(self.sent[index])) for index in (RX, TX)}
        return {
            "hand_overs": self.switched, "failed": self.failed, "tx_sent": self.sent[TX], "tx_exactly_once": exact[TX],
            "rx_sent": self.sent[RX], "rx_complete": exact[RX], "strange": self.wrong,
            "tx_dropped": open_links().counters(self.port.name).tx_dropped,
        }  # fmt: skip


def hand_overs(first: str, second: str, count: int = 100) -> dict[str, object]:
    """What ``count`` hand-overs under load looked like."""
    with ExitStack() as stack:
        load = Load(stack, (first, second))
        load.run(count)
        return load.seen()


if __name__ == "__main__":
    print(json.dumps(hand_overs(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 100)))
