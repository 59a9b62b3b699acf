"""Lesson 11, virtio_net_hdr: checksums and segments left to the device, and a frame spread over several buffers."""

import select
import socket

from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, ICMP_ECHO_REQUEST, NET_HDR_LEN, PEER_IP, PEER_MAC, Echo, echo
from tour.net.links import open_links
from tour.net.observer import TapObserver
from tour.net.port import open_wired
from tour.net.segments import (
    IP,
    L4_AT,
    TCP,
    TCP_HEADER,
    TCP_SUM,
    UDP,
    UDP_SUM,
    Ends,
    Segment,
    finished_sum,
    joined,
    pseudo_of,
    take_apart,
    unfinished_tcp,
    unfinished_udp,
)
from tour.net.wired import NEAR_LINK, PEER_LINK
from tour.scene import set_up
from tour.scene.negotiate import RECEIVING, TAP, tap_offloads
from tour.scene.nic import RX_BUFFER_SIZE, TX_BUFFER, Nic
from tour.trace import events as ev
from tour.virtqueue.net_header import GSO_TCPV4, NEEDS_CSUM, NetHeader

ROOM = 512
"""Bytes of each receive buffer: too few for a long frame."""
PORT = 4000
GREETING = b"finish my checksum"
LARGEST = 65535
"""Bytes of the largest IPv4 packet."""
STILL_SECONDS = 0.2
MSS = 1460
"""TCP data in a frame of Ethernet's usual 1500 bytes."""
SMALL_MSS = 536
"""TCP data in a packet of 576 bytes: what is assumed of an other side that named no size (RFC 9293 3.7.1)."""
NOBODY_MAC, NOBODY_IP = "02:00:00:00:00:03", "10.0.2.3"
FIRST = 1_000_000
"""The large segment's sequence number."""
DATA = bytes(at * 7 & 0xFF for at in range(LARGEST - IP - TCP_HEADER))
PING_DATA = bytes(at & 0xFF for at in range(1400))
TO_PEER = Ends(GUEST_MAC, GUEST_IP, PORT, PEER_MAC, PEER_IP, PORT)
TO_NOBODY = Ends(GUEST_MAC, GUEST_IP, PORT, NOBODY_MAC, NOBODY_IP, PORT)


def prepare(nic: Nic) -> None:
    """A tap in a bridge; behind it a link without offloads, and the peer with an open UDP port. Small buffers."""
    room = ROOM if nic.plan.room == RX_BUFFER_SIZE else nic.plan.room
    nic.plan = nic.plan._replace(room=room, features=nic.plan.features | TAP | RECEIVING)
    nic.use_port(open_wired("bridge", nic.recorder))
    open_links().finish_checksums(NEAR_LINK)
    nic.own.wire = nic.stack.enter_context(TapObserver(PEER_LINK))
    nic.own.told = []
    nic.recorder.sinks.append(nic.own.told.append)
    nic.own.peer = nic.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    nic.own.peer.bind((PEER_IP, PORT))
    nic.own.peer.setblocking(False)
    nic.ask()
    nic.offer(RECEIVING)
    nic.acknowledge()
    nic.port.set_offload(tap_offloads(nic.driver_word))
    nic.device.set_features(nic.vhost_features)
    for stage in ("memory", "vrings", "doorbells", "fill", "attach"):
        set_up.STAGES[stage](nic)


def header(nic: Nic) -> None:
    """A UDP datagram whose checksum the driver leaves open, and a header that says so."""
    write_greeting(nic, NetHeader(NEEDS_CSUM, csum_start=L4_AT, csum_offset=UDP_SUM))


def header_forget(nic: Nic) -> None:
    """The same datagram, but the header asks for nothing."""
    write_greeting(nic, NetHeader())


def finish(nic: Nic) -> str:
    """It goes; a witness at the tap and one at the peer's end look at the checksum field."""
    size = len(unfinished_udp(TO_PEER, GREETING))
    ended = send(nic, size)
    tap, wire = at_tap(nic, UDP), at_wire(nic, UDP)
    nic.figure("udp.tap", f"{tap[-1].field:#06x}" if tap else "@none")
    nic.figure("udp.wire", f"{wire[-1].field:#06x}" if wire else "@none")
    nic.figure("udp.buffer", field_in_buffer(nic, UDP_SUM))
    nic.figure("udp.received", received(nic))
    return ended


def big(nic: Nic) -> None:
    """The largest IPv4 packet as one frame of TCP, its cutting left to the device; one descriptor."""
    write_large(nic, MSS)


def big_small(nic: Nic) -> None:
    """The same bytes; the header asks for shorter pieces."""
    write_large(nic, SMALL_MSS)


def cut(nic: Nic) -> str:
    """It goes; both witnesses count."""
    nic.tx.write_entry(nic.head)
    nic.tx.publish()
    ended = kick(nic)
    tap, wire = at_tap(nic, TCP), at_wire(nic, TCP)
    nic.figure("tso.tap", len(tap))
    nic.figure("tso.wire", len(wire))
    nic.figure("tso.longest", max((L4_AT + TCP_HEADER + len(one.data) for one in wire), default=0))
    nic.figure("tso.wrong", sum(not (one.right and one.ip_right) for one in wire))
    nic.figure("tso.data", len(joined(wire, FIRST)))
    nic.figure("tso.same", int(joined(wire, FIRST) == DATA))
    return ended


def reply(nic: Nic) -> str:
    """A ping of 1400 bytes; its reply does not fit one buffer."""
    request = Echo(ICMP_ECHO_REQUEST, GUEST_MAC, PEER_MAC, GUEST_IP, PEER_IP, ident=11, seq=1, data=PING_DATA)
    frame = echo(request)
    write(nic, NetHeader(), frame)
    return send(nic, len(frame))


def spread(nic: Nic) -> None:
    """The driver takes the buffers back and puts the frame together."""
    parts, free = [], nic.rx.num_free
    while (used := nic.rx.reap()) is not None:
        if not parts:
            nic.figure("rx.freed", nic.rx.num_free - free)
        parts.append(nic.memory.read(nic.rings[RX].read_desc(used.head).addr, used.len))
    whole = b"".join(parts)
    nic.figure("rx.buffers", len(parts))
    nic.figure("rx.said", NetHeader.unpack(whole).num_buffers)
    nic.figure("rx.last", len(parts[-1]))
    nic.figure("rx.same", int(whole.endswith(PING_DATA)))


def unfinished(nic: Nic) -> str:
    """The peer's socket sends a datagram; nothing between it and the guest is a wire."""
    nic.own.peer.sendto(GREETING, (GUEST_IP, PORT))
    ended = nic.settle(RX)
    used = nic.rx.reap()
    gpa = nic.rings[RX].read_desc(used.head).addr if used else 0
    frame = nic.memory.read(gpa + NET_HDR_LEN, used.len - NET_HDR_LEN) if used else b""
    found = take_apart(frame)
    nic.figure("in.flags", nic.memory.read(gpa, 1)[0] if used else "@none")
    nic.figure("in.field", f"{found.field:#06x}" if found else "@none")
    nic.figure("in.right", int(found.right) if found else "@none")
    return ended


def unfinished_tap(nic: Nic) -> str:
    """You, as QEMU: first tell the tap to leave nothing open."""
    nic.port.set_offload(0)
    return unfinished(nic)


# --- parts ----------------------------------------------------------------------------------------------------


def write(nic: Nic, head: NetHeader, frame: bytes) -> None:
    """Header and frame into the transmit buffer, once that is the driver's again."""
    nic.tx.reap()
    nic.write_buffer(TX_BUFFER, head.pack(), "net_hdr")
    nic.write_buffer(TX_BUFFER + NET_HDR_LEN, frame, "frame")


def write_greeting(nic: Nic, head: NetHeader) -> None:
    """The datagram; what its checksum field holds, the sum over the pseudo-header, and what it has to become."""
    frame = unfinished_udp(TO_PEER, GREETING)
    write(nic, head, frame)
    nic.figure("udp.buffer", field_in_buffer(nic, UDP_SUM))
    nic.figure("udp.pseudo", f"{pseudo_of(frame):#06x}")
    nic.figure("udp.finished", f"{finished_sum(frame):#06x}")


def write_large(nic: Nic, size: int) -> None:
    """The large segment, to be cut into pieces of ``size`` bytes of data, and one descriptor for all of it."""
    head = NetHeader(NEEDS_CSUM, GSO_TCPV4, L4_AT + TCP_HEADER, size, L4_AT, TCP_SUM)
    frame = unfinished_tcp(TO_NOBODY, FIRST, 1, DATA)
    write(nic, head, frame)
    nic.figure("tso.frame", len(frame))
    nic.head = nic.tx.write_chain([(TX_BUFFER, NET_HDR_LEN + len(frame))])


def field_in_buffer(nic: Nic, offset: int) -> str:
    """The checksum field of the frame in the transmit buffer, as memory has it now."""
    raw = nic.memory.read(TX_BUFFER + NET_HDR_LEN + L4_AT + offset, 2)
    return f"{int.from_bytes(raw, 'big'):#06x}"


def send(nic: Nic, size: int) -> str:
    """Offer the transmit buffer with ``size`` bytes of frame, and kick."""
    nic.tx.add([(TX_BUFFER, NET_HDR_LEN + size)])
    nic.tx.publish()
    return kick(nic)


def kick(nic: Nic) -> str:
    """Ring, and wait for both queues."""
    nic.own.told.clear()
    nic.own.wire.poll()
    nic.tx.needs_kick()
    nic.tx.kick()
    return nic.settle(TX, RX)


def at_tap(nic: Nic, proto: int) -> list[Segment]:
    """What the witness at the tap saw leave since the last kick, of that protocol."""
    seen = [one.data for one in nic.own.told if isinstance(one.data, ev.Packet) and one.data.where == "tap"]
    return of(proto, [bytes.fromhex(packet.frame) for packet in seen if packet.direction == "out"])


def at_wire(nic: Nic, proto: int) -> list[Segment]:
    """What the witness at the peer's end saw arrive, until nothing came for 200 ms."""
    seen = nic.own.wire.poll()
    while select.select([nic.own.wire], [], [], STILL_SECONDS)[0]:
        seen += nic.own.wire.poll()
    return of(proto, [one.frame for one in seen if one.direction == "out"])


def of(proto: int, frames: list[bytes]) -> list[Segment]:
    """Those of one protocol, taken apart."""
    return [one for one in map(take_apart, frames) if one is not None and one.proto == proto]


def received(nic: Nic) -> int:
    """Bytes that the peer's own socket was given: its stack drops what has a wrong checksum."""
    try:
        return len(nic.own.peer.recv(2048))
    except BlockingIOError:
        return 0
