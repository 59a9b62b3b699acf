"""A guest moves: a second device with a memory of its own, copy rounds after the dirty log, the hand-over.

Both ends live in this process, as nothing of the procedure cares: each has its own device, its own pages for the same
guest addresses, its own doorbells; the tap is shared, where two hosts would have the switch send frames elsewhere.
What QEMU does: vhost_dev_set_log(), vhost_migration_log(), vhost_dev_stop(), hw/virtio/vhost.c@7.2.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from tour.abi.names import VHOST_PAGE_SIZE, Feature
from tour.device.contract import RX, TX, RingAddresses, VhostDevice
from tour.memory.dirty import LogBitmap
from tour.memory.guest import GuestMemory
from tour.net.frames import GUEST_IP, PEER_IP
from tour.net.links import open_links
from tour.scene.choose import Chosen
from tour.scene.doorbells import Bells
from tour.scene.nic import HIGH, LOW, RING_SIZE, Nic
from tour.scene.set_up import doorbells, tell_rings
from tour.trace import events as ev
from tour.virtqueue.ring import Ring

LOG_ALL = Feature.VHOST_F_LOG_ALL.mask
LOG_RING = 1
"""VHOST_VRING_F_LOG, linux/vhost_types.h: log writes to the used ring too."""
MEMORY_END = HIGH.gpa + HIGH.size
PORT = 4000
"""Of the peer's datagrams, both ends."""


@dataclass
class Place:
    """One end of the move: its device and what belongs to it."""

    number: int
    chosen: Chosen
    device: VhostDevice
    memory: GuestMemory
    bells: dict[int, Bells]
    rings: dict[int, Ring]


class Move:
    """The two ends of a nic whose rings run already at the first. ``written`` are the pages the guest itself wrote
    since they were last taken, as our own trace tells them: what KVM's own dirty log tells QEMU."""

    def __init__(self, nic: Nic) -> None:
        self.nic = nic
        self.log = LogBitmap(MEMORY_END)
        nic.stack.callback(self.log.close)
        self.here = Place(0, nic.chosen, nic.device, nic.memory, nic.bells, nic.rings)
        for bells in self.here.bells.values():
            nic.stack.callback(bells.close)
        nic.stack.callback(self.here.device.close)
        self.written: set[int] = set()
        self.rounds: list[list[str]] = []
        nic.recorder.sinks.append(self._see)
        self.there = self._second()

    def _see(self, event: ev.Event) -> None:
        if event.actor == "driver" and isinstance(event.data, ev.Store | ev.Write):
            self.written |= set(pages(event.data.gpa, len(event.data.after) // 2))

    # --- the second end -----------------------------------------------------------------------------------

    def _second(self) -> Place:
        """A device that knows all but base and backend socket, with memory and doorbells of its own."""
        nic = self.nic
        chosen = replace(nic.chosen, device="embedded", gear="engine" if nic.chosen.gear == "python" else "python")
        nic.recorder.emit(ev.Serving(1, chosen.device, chosen.gear), actor="control")
        memory = nic.stack.enter_context(GuestMemory([]))
        bells = {index: Bells(index, nic.recorder, nic.baton) for index in (RX, TX)}
        for one in bells.values():
            nic.stack.callback(one.close)
        device = chosen.make_device(nic.recorder, nic.baton)
        nic.stack.callback(device.close)
        there = Place(1, chosen, device, memory, bells, {})
        self._front(there)
        self._introduce(there)
        self.speak(self.here)
        return there

    def _introduce(self, place: Place) -> None:
        nic = self.nic
        place.device.set_owner()
        place.device.set_features(nic.vhost_features)
        nic.map_memory()
        place.device.set_mem_table(place.memory.table)
        for index, ring in self.here.rings.items():
            place.rings[index] = Ring(place.memory, ring.gpa, index)
            place.rings[index].recorder = nic.recorder
        tell_rings(nic, {RX: 0, TX: 0})
        doorbells(nic)

    def speak(self, place: Place) -> None:
        """From here on the control plane speaks to the device at ``place``, and the guest lives there."""
        self.nic.recorder.emit(ev.Serving(place.number, place.chosen.device, place.chosen.gear), actor="control")
        self._front(place)

    def _front(self, place: Place) -> None:
        nic = self.nic
        nic.chosen, nic.device, nic.memory = place.chosen, place.device, place.memory
        nic.bells, nic.rings = place.bells, place.rings
        if place.rings:
            nic.tx.ring, nic.rx.ring = place.rings[TX], place.rings[RX]

    # --- the dirty log ------------------------------------------------------------------------------------

    def log_rings(self, on: bool) -> None:
        """Give the addresses again, with the log flag and the used ring's guest address, or without."""
        for index, ring in self.nic.rings.items():
            hva = ring.hva
            where = (LOG_RING, ring.gpa.used) if on else (0, 0)
            self.nic.device.set_vring_addr(
                index, RingAddresses(hva.desc, hva.avail, hva.used, flags=where[0], log_gpa=where[1])
            )

    def marked(self) -> set[int]:
        """Pages marked in the log, which stays as it is."""
        return {gpa for gpa in all_pages() if self.log.test(gpa)}

    def take(self) -> tuple[set[int], set[int]]:
        """Take all marks: vhost's, each word exchanged for 0 in one step, and the guest's own."""
        written, self.written = self.written, set()
        return set(self.log.fetch_and_clear()), written

    # --- copy rounds --------------------------------------------------------------------------------------

    def copy_all(self) -> None:
        """The first round: take the marks, so that they begin anew, then copy every page."""
        self.take()
        self._copy(all_pages(), "-", "-")

    def copy_dirty(self) -> None:
        """A later round: the pages marked since, by the device or by the guest."""
        device, guest = self.take()
        self._copy(sorted(device | guest), str(len(device)), str(len(guest)))

    def _copy(self, gpas: list[int], device: str, guest: str) -> None:
        for gpa in gpas:
            self.there.memory.write(gpa, self.here.memory.read(gpa, VHOST_PAGE_SIZE))
        differ = self.differing()
        self.rounds.append([str(len(self.rounds) + 1), device, guest, str(len(gpas)), str(len(differ))])
        self.nic.figure("copied", len(gpas))
        self.nic.figure("differ", len(differ))
        self.nic.listing("rounds", self.rounds)

    def differing(self) -> list[int]:
        """Pages whose bytes are not the same at both ends."""
        one, other = self.here.memory, self.there.memory
        return [gpa for gpa in all_pages() if one.read(gpa, VHOST_PAGE_SIZE) != other.read(gpa, VHOST_PAGE_SIZE)]

    def compare(self) -> None:
        """Tell how many pages differ."""
        self.nic.figure("differ", len(self.differing()))

    # --- the hand-over ------------------------------------------------------------------------------------

    def stop(self) -> dict[int, int]:
        """Stop both rings, and only then ask where each is."""
        return {index: self.nic.device.stop(index) for index in (TX, RX)}

    def resume(self, place: Place, bases: dict[int, int]) -> str:
        """Go on at ``place``: bases, then the backend socket; the rest the device finds in memory."""
        nic = self.nic
        self.speak(place)
        self._tell_words(self.there if place is self.here else self.here)
        nic.received = nic.rings[RX].load_used_idx()
        for index, base in bases.items():
            nic.device.set_vring_base(index, base)
        for index in (RX, TX):
            nic.watch(index)
            nic.device.start(index, nic.port)
        return nic.settle(RX, TX)

    def _tell_words(self, other: Place) -> None:
        """Tell each word of the rings that is not the same in this end's memory: what is shown is what lies here."""
        for index, ring in self.nic.rings.items():
            was = other.rings[index]
            words = {
                "avail.idx": (ring.gpa.avail_idx, was.load_avail_idx(), ring.load_avail_idx()),
                "used.flags": (ring.gpa.used_flags, was.load_used_flags(), ring.load_used_flags()),
                "used.idx": (ring.gpa.used_idx, was.load_used_idx(), ring.load_used_idx()),
            }
            for name, (gpa, old, new) in words.items():
                if old != new:
                    seen = ev.Store(index, name, gpa, hex16(old), hex16(new), [old], [new])
                    self.nic.recorder.emit(seen, actor="control", source="observer")


def hex16(word: int) -> str:
    """A ring word's bytes in hexadecimal."""
    return word.to_bytes(2, "little").hex()


def pages(gpa: int, size: int) -> range:
    """The pages of ``size`` bytes at ``gpa``, by their first address."""
    return range(gpa - gpa % VHOST_PAGE_SIZE, gpa + size, VHOST_PAGE_SIZE)


def all_pages() -> list[int]:
    """Every page of guest memory."""
    return [gpa for spec in (LOW, HIGH) for gpa in pages(spec.gpa, spec.size)]


def shorten_queue(nic: Nic, frames: int) -> None:
    """Let the tap hold only ``frames`` for whoever reads it."""
    open_links().set_queue_length(nic.port.name, frames)


def dropped(nic: Nic) -> int:
    """Frames that the tap had no room for, by the kernel's own counter tx_dropped."""
    return open_links().counters(nic.port.name).tx_dropped


def peer_sends(numbers: Iterable[int]) -> None:
    """The peer's network stack sends the guest one numbered datagram each."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((PEER_IP, PORT))
        for number in numbers:
            sock.sendto(b"%06d" % number, (GUEST_IP, PORT))


def receive(nic: Nic) -> list[bytes]:
    """Reap and offer again until nothing comes any more. Returns the packets, header first, in used order."""
    got: list[bytes] = []
    while taken := _reap(nic):
        for gpa, data in taken:
            got.append(data)
            nic.rx.write_entry(nic.rx.write_chain([], [(gpa, nic.plan.room)]))
        nic.rx.publish()
        if nic.rx.needs_kick():
            nic.rx.kick()
        nic.settle(RX)
    return got


def _reap(nic: Nic) -> list[tuple[int, bytes]]:
    """Every chain of the receive queue that is done: its buffer and what the device wrote there."""
    taken: list[tuple[int, bytes]] = []
    ring = nic.rings[RX]
    while len(taken) < RING_SIZE and (used := nic.rx.reap()) is not None:
        gpa = ring.read_desc(used.head).addr
        taken.append((gpa, nic.memory.read(gpa, used.len)))
    return taken
