"""Two embedded devices, one with each gear, on two memories that are alike: whatever is done is done to both."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from tests.support import wait_until
from tour.device.contract import RX, RingAddresses
from tour.device.embedded import EmbeddedDevice
from tour.device.embedded.counters import Counters
from tour.device.embedded.device import Turner
from tour.device.embedded.gear import Policy
from tour.device.fdinfo import eventfd_count
from tour.errors import RingError
from tour.memory.dirty import LogBitmap
from tour.memory.guest import GuestMemory
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC
from tour.net.links import open_links
from tour.net.tap import TapPort
from tour.trace.events import Broken, Error, Event
from tour.trace.recorder import Recorder
from tour.virtqueue.chain import Walker
from tour.virtqueue.layout import RingLayout, plan
from tour.virtqueue.ring import Desc, Ring

REGIONS = ((0x0, 0x4000), (0x4000, 0x2000), (0x8000, 0x8000))
"""The second follows the first in the guest and nowhere else; then a hole; then data."""
SIZE = sum(size for _, size in REGIONS)
_PLACES = tuple((gpa, size, sum(one for _, one in REGIONS[:n])) for n, (gpa, size) in enumerate(REGIONS))
RING_AT, DATA, END = 0x1000, 0x8000, 0x10000
VHOST_VRING_F_LOG = 1
LOGGED_AT = 0x3000
"""How far from where the used ring lies its dirty pages are noted: control says where, and may say anything."""


class Setting(NamedTuple):
    """What control decides before the start."""

    index: int
    num: int
    base: int
    features: int
    policy: Policy = "kernel"
    logged: bool = False


class Seen(NamedTuple):
    """All that must be equal between two rests."""

    memory: bytes
    indices: tuple[int, int, bool]
    broken: tuple[str, ...]
    calls: int
    errs: int
    frames: tuple[bytes, ...]
    dirty: bytes


class SocketWire:
    """A pair of sockets: ``port`` is the device's."""

    def __init__(self, stack: ExitStack) -> None:
        self.port, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.port, self._theirs):
            stack.callback(end.close)
            end.setblocking(False)

    def send(self, frames: Sequence[bytes]) -> None:
        """Frames for the device, header first, as far as there is room."""
        with contextlib.suppress(BlockingIOError):
            for frame in frames:
                self._theirs.send(frame)

    def received(self) -> list[bytes]:
        """What has come from the device since the last call."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while frame := self._theirs.recv(1 << 17):
                found.append(frame)
        return found


class TapWire:
    """A tap that is up, of a name of its own; what comes is told without header."""

    def __init__(self, stack: ExitStack) -> None:
        self.port = TapPort(name=f"twin{next(_NUMBERS)}")
        stack.callback(self.port.close)
        open_links().make_peer(self.port.name, PEER_MAC, PEER_IP, guest=(GUEST_IP, GUEST_MAC))
        self._observer = self.port.observe()
        stack.callback(self._observer.close)

    def send(self, frames: Sequence[bytes]) -> None:
        """Not from here."""
        raise NotImplementedError

    def received(self) -> list[bytes]:
        """See ``SocketWire``."""
        return [seen.frame for seen in self._observer.poll()]


_NUMBERS = itertools.count()
Wire = Callable[[ExitStack], SocketWire | TapWire]


class Twin:
    """One of the two."""

    def __init__(self, stack: ExitStack, gear: Turner, setting: Setting, wire: Wire) -> None:
        self.setting = setting
        self.events: list[Event] = []
        self.memory = stack.enter_context(GuestMemory(REGIONS))
        self.place: RingLayout = plan(setting.num, RING_AT)
        self.ring = Ring(self.memory, self.place, setting.index)
        self.wire = wire(stack)
        self.fds = {name: os.eventfd(0, os.EFD_NONBLOCK) for name in ("kick", "call", "err")}
        for fd in self.fds.values():
            stack.callback(os.close, fd)
        self.log = LogBitmap(END)
        stack.callback(self.log.close)
        self.device = EmbeddedDevice(Recorder(self.events.append), gear=gear, on_violation=setting.policy)
        stack.callback(self.device.close)
        self.faults: list[RingError] = []
        self.frames: list[bytes] = []

    def start(self) -> None:
        """All calls from set_owner to start; the ring's memory is as it stands."""
        device, index = self.device, self.setting.index
        device.set_owner()
        device.set_features(self.setting.features)
        device.set_mem_table(self.memory.table)
        device.set_log_base(self.log)
        device.set_vring_num(index, self.setting.num)
        device.set_vring_base(index, self.setting.base)
        self.tell_addresses()
        device.set_vring_kick(index, self.fds["kick"])
        device.set_vring_call(index, self.fds["call"])
        device.set_vring_err(index, self.fds["err"])
        device.start(index, self.wire.port)

    def tell_addresses(self) -> None:
        """SET_VRING_ADDR, with the log if that is on."""
        hva, flags = self.ring.hva, VHOST_VRING_F_LOG if self.setting.logged else 0
        where = RingAddresses(hva.desc, hva.avail, hva.used, self.place.used + LOGGED_AT, flags)
        self.device.set_vring_addr(self.setting.index, where)

    def rest(self) -> None:
        """Wait until the worker has nothing to do, and take what came out of the port."""
        wait_until(self.device.asleep, "the worker to sleep")
        self.frames += self.wire.received()

    def kick(self) -> None:
        """Ring the doorbell."""
        os.eventfd_write(self.fds["kick"], 1)

    def feed(self, frames: Sequence[bytes]) -> None:
        """Frames for the ring, as far as the port has room; it meets them all at once."""
        self.device.hold(self.setting.index, True)
        self.wire.send(frames)
        wait_until(self.device.asleep, "the held worker to sleep")
        self.device.hold(self.setting.index, False)

    @property
    def seen(self) -> Seen:
        """What must be equal."""
        status = self.device.status(self.setting.index)
        assert [event.data for event in self.events if isinstance(event.data, Error)] == []
        return Seen(
            b"".join(data for _, data in self.memory.save()),
            (status.last_avail_idx, status.used_shadow, status.kicks_wanted),
            tuple(event.data.reason for event in self.events if isinstance(event.data, Broken)),
            eventfd_count(self.fds["call"]),
            eventfd_count(self.fds["err"]),
            tuple(self.frames),
            bytes(self.log._mapping),
        )

    @property
    def counters(self) -> Counters:
        """What both gears count, and what only one does as None."""
        return self.device.counters(self.setting.index)


class Twins:
    """Both; a method does its thing to each, waits for rest and compares."""

    def __init__(self, stack: ExitStack, setting: Setting, wire: Wire = SocketWire) -> None:
        self.setting = setting
        self.both = Twin(stack, "python", setting, wire), Twin(stack, "engine", setting, wire)
        self.blank = bytearray(SIZE)
        self.at = setting.base
        self.used = 0

    def do(self, what: Callable[[Twin], object]) -> None:
        """Do it to each, one after the other."""
        for twin in self.both:
            what(twin)

    def compare(self) -> Seen:
        """Wait for both to rest; everything must be equal. What the device may do to buffers it holds is its own
        affair: bytes of writable buffers that were not given back are left out."""
        self.do(Twin.rest)
        ours, engine = (twin.seen for twin in self.both)
        self._blank_held()
        apart = _number(ours.memory) ^ _number(engine.memory)
        apart &= ~_number(self.blank)
        assert not apart, "memory differs at " + hex((apart & -apart).bit_length() // 8)
        assert ours._replace(memory=b"") == engine._replace(memory=b"")
        same = self.both[0].counters[:4]
        assert same == self.both[1].counters[:4], f"{same} {self.both[1].counters}"
        return engine

    def _blank_held(self) -> None:
        """Blank what the device holds and may have written to; what it has given back since counts again."""
        twin = self.both[0]
        ring = twin.ring
        if self.setting.index != RX:
            return
        at = twin.device.status(RX).last_avail_idx
        # What a fault let the device pass over never comes back: it is held for ever.
        passed = (at - self.at) & 0xFFFF
        for n in range(passed if passed <= self.setting.num else 0):
            self._mark(ring.read_avail_entry(self.at + n), 1 << 32, 1)
        self.at = at
        while self.used != ring.load_used_idx():
            head, length = ring.read_used_entry(self.used)
            self._mark(head, 1 << 32, 1)
            self._mark(head, length, 0)
            self.used = (self.used + 1) & 0xFFFF
        for n in range(min((ring.load_avail_idx() - at) & 0xFFFF, self.setting.num)):
            self._mark(ring.read_avail_entry(at + n), 1 << 32, 1)

    def _mark(self, head: int, left: int, blank: int) -> None:
        """The first ``left`` writable bytes of the chain at ``head`` are blank, or no longer."""
        twin = self.both[0]
        with contextlib.suppress(RingError, IndexError):
            chain = Walker(RX, self.setting.num, twin.memory.table, True).chain(head, twin.ring.read_desc)
            for gpa, size in chain.writable:
                for start, length, at in _PLACES:
                    low, high = max(gpa, start), min(gpa + min(left, size), start + length)
                    if low < high:
                        self.blank[at + low - start : at + high - start] = bytes([0xFF * blank]) * (high - low)
                left -= min(left, size)


def _number(memory: bytes | bytearray) -> int:
    return int.from_bytes(memory, "little")


def table(entries: Sequence[Desc]) -> bytes:
    """The bytes of a descriptor table."""
    return b"".join(entry.pack() for entry in entries)
