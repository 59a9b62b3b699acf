"""The driver around a student's device: real frames offered in chains of any shape, used entries read."""

from __future__ import annotations

from tour.judge.bench import Bench
from tour.net.frames import (
    GUEST_IP,
    GUEST_MAC,
    ICMP_ECHO_REQUEST,
    NET_HDR_LEN,
    PEER_IP,
    PEER_MAC,
    Echo,
    arp_request,
    echo,
)
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.net_header import NetHeader
from tour.virtqueue.ring import Ring

BUFFERS = 1
"""The bench's region that buffers lie in."""
WRAP = 1 << 16
COUNT = 10
"""Offset of num_buffers in the header."""
FILL, GUARD = b"\x5a", 16
"""What a receive buffer holds before, and how many bytes behind it nobody may write."""


def request(bench: Bench, size: int | None = None) -> bytes:
    """A frame that the peer answers: an ARP request, or an ICMP echo with ``size`` random bytes."""
    if size is None:
        return arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
    number = bench.random.randrange(WRAP)
    data = bench.random.randbytes(size)
    return echo(Echo(ICMP_ECHO_REQUEST, GUEST_MAC, PEER_MAC, GUEST_IP, PEER_IP, 1, number, data))


class Driver:
    """A driver's queue on a fresh ring that begins at ``base``; its descriptors are taken in any order.

    ``kicks`` counts its kicks, ``heads`` are the chains it offered, in order.
    """

    INDEX = 1

    def __init__(self, bench: Bench, num: int | None = None, base: int | None = None) -> None:
        self.bench = bench
        self.base = bench.base() if base is None else base
        self.ring: Ring = bench.ring(num, self.INDEX)
        self.queue = DriverQueue(self.ring, kick=self._kick)
        self.queue.set_base(self.base)
        bench.random.shuffle(self.queue._free)  # noqa: SLF001 - a driver that has run for a while
        self.kicks = 0
        self.heads: list[int] = []

    def publish(self) -> None:
        """What was offered is the device's; it is kicked if it wants that."""
        self.queue.publish()
        if self.queue.needs_kick():
            self.queue.kick()

    def _kick(self) -> None:
        self.kicks += 1

    def waiting(self, idx: int) -> int:
        """How many chains a device that stands at ``idx`` has not taken."""
        return (self.ring.load_avail_idx() - idx) % WRAP

    def check_used(self, lengths: list[int]) -> None:
        """The used ring gives back the first chains, in order, with these lengths. Raises Broken."""
        for n, (head, length) in enumerate(zip(self.heads, lengths, strict=False)):
            slot = self.ring.slot(self.base + n)
            found = self.ring.read_used_entry(self.base + n)
            self.bench.equal(f"used.ring[{slot}].id", head, found.head)
            self.bench.equal(f"used.ring[{slot}].len", length, found.len)
        self.bench.equal("used.idx", (self.base + len(lengths)) % WRAP, self.ring.load_used_idx())


class Sender(Driver):
    """The driver's transmit side; ``sent`` are the frames it offered."""

    def __init__(self, bench: Bench, num: int | None = None, base: int | None = None) -> None:
        super().__init__(bench, num, base)
        self.sent: list[bytes] = []
        self.places: list[list[tuple[int, int]]] = []

    def offer(self, frame: bytes, pieces: int = 1) -> int:
        """Offer a frame behind its header, cut anywhere into ``pieces`` buffers; the chain's head."""
        packet = NetHeader().pack() + frame
        cuts = sorted(self.bench.random.sample(range(1, len(packet)), pieces - 1))
        parts = []
        for a, b in zip([0, *cuts], [*cuts, len(packet)], strict=True):
            gpa = self.bench.room(b - a, region=BUFFERS)
            self.bench.memory.write(gpa, packet[a:b])
            parts.append((gpa, b - a))
        self.heads.append(self.queue.add(parts))
        self.sent.append(frame)
        self.places.append(parts)
        return self.heads[-1]

    def spoil(self, count: int) -> None:
        """Use the buffers of the first ``count`` chains for something else, as their owner may once they are used."""
        for parts in self.places[:count]:
            for gpa, size in parts:
                self.bench.memory.write(gpa, b"\xee" * size)


class Receiver(Driver):
    """The driver's receive side: ``chains`` are the buffers of each chain it gave, in order."""

    INDEX = 0

    def __init__(self, bench: Bench, num: int | None = None, base: int | None = None) -> None:
        super().__init__(bench, num, base)
        self.chains: list[list[tuple[int, int]]] = []

    def give(self, *sizes: int) -> int:
        """Give a chain of buffers of these sizes, a guard behind each; the chain's head."""
        parts = []
        for size in sizes:
            gpa = self.bench.room(size + GUARD, region=BUFFERS)
            self.bench.memory.write(gpa, FILL * (size + GUARD))
            parts.append((gpa, size))
        self.heads.append(self.queue.add(in_=parts))
        self.chains.append(parts)
        return self.heads[-1]

    def lengths(self, packets: list[bytes]) -> list[list[int]]:
        """How many bytes of each packet belong into each chain: all but the packet's last are filled."""
        rooms = iter([sum(size for _, size in parts) for parts in self.chains])
        found = []
        for packet in packets:
            left, into = len(packet), []
            while left:
                into.append(min(left, next(rooms)))
                left -= into[-1]
            found.append(into)
        return found

    def check_buffers(self, packets: list[bytes]) -> None:
        """The packets lie in the chains, num_buffers in each header, and nothing is written beside. Raises Broken."""
        chain = 0
        for n, (packet, lengths) in enumerate(zip(packets, self.lengths(packets), strict=True)):
            rest = packet[:COUNT] + len(lengths).to_bytes(2, "little") + packet[NET_HDR_LEN:]
            first = self.bench.memory.read(self.chains[chain][0][0] + COUNT, 2)
            if self.chains[chain][0][1] >= NET_HDR_LEN and first != FILL * 2:
                self.bench.equal(f"packet {n}, num_buffers", len(lengths), int.from_bytes(first, "little"))
            for length in lengths:
                self._check_chain(f"packet {n} in chain {chain}", self.chains[chain], rest[:length])
                rest, chain = rest[length:], chain + 1
        for at, parts in enumerate(self.chains[chain:], chain):
            self._check_chain(f"chain {at}, not used", parts, b"")

    def _check_chain(self, what: str, parts: list[tuple[int, int]], wanted: bytes) -> None:
        for n, (gpa, size) in enumerate(parts):
            right = wanted[:size].ljust(size + GUARD, FILL)
            found = self.bench.memory.read(gpa, size + GUARD)
            wanted = wanted[size:]
            if right != found:
                at = next(i for i, (a, b) in enumerate(zip(right, found, strict=True)) if a != b)
                self.bench.equal(f"{what}, buffer {n}, from byte {at} on", right[at : at + 8], found[at : at + 8])


def same_frames(bench: Bench, where: str, wanted: list[bytes], found: list[bytes]) -> None:
    """The same frames in the same order. Raises Broken with the first bytes that differ."""
    for n, (right, got) in enumerate(zip(wanted, found, strict=False)):
        if right != got:
            bench.equal(f"frame {n} {where}, its length", len(right), len(got))
            at = next(i for i, (a, b) in enumerate(zip(right, got, strict=True)) if a != b)
            bench.equal(f"frame {n} {where}, from byte {at} on", right[at : at + 16], got[at : at + 16])
    bench.equal(f"frames {where}", len(wanted), len(found))


__all__ = ["BUFFERS", "WRAP", "Driver", "Receiver", "Sender", "request", "same_frames"]
