"""Lesson 10, chains and indirect descriptors: one frame in three pieces, linked in the ring or listed in a table."""

from tour.abi.names import Feature
from tour.device.contract import RX, TX
from tour.errors import RingError
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.scene import set_up
from tour.scene.nic import RING_SIZE, TX_BUFFER, Nic
from tour.trace import events as ev
from tour.virtqueue.chain import NEXT
from tour.virtqueue.layout import DESC_SIZE
from tour.virtqueue.net_header import NetHeader
from tour.virtqueue.ring import Desc, unpack_desc

SMALL = 4
"""Slots of the transmit queue, unless a fork sets another number."""
ETHERNET = 14
HEADER = NetHeader().pack()
REQUEST = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
PIECES = (HEADER, REQUEST[:ETHERNET], REQUEST[ETHERNET:])
"""The packet as it lies in memory: virtio_net_hdr, Ethernet header, ARP."""
APART = 0x1000
"""Bytes from one piece to the next."""
FRAME_APART = 0x4000
TABLE = 0x10000
"""Indirect tables: ordinary guest memory, far from the ring."""
TABLE_APART = 0x100
FRAMES = 4


def prepare(nic: Nic) -> None:
    """A transmit queue of four, INDIRECT_DESC negotiated; four frames of three pieces lie in memory."""
    num = SMALL if nic.plan.num == RING_SIZE else nic.plan.num
    features = nic.plan.features | Feature.VIRTIO_RING_F_INDIRECT_DESC.mask
    nic.plan = nic.plan._replace(num=num, features=features)
    nic.own.told = []
    nic.recorder.sinks.append(nic.own.told.append)
    for stage in ("features", "memory", "vrings", "doorbells", "fill", "attach"):
        set_up.STAGES[stage](nic)
    for number in range(FRAMES):
        for (gpa, _), piece in zip(pieces(number), PIECES, strict=True):
            nic.write_buffer(gpa, piece, "net_hdr" if piece is HEADER else "frame")


def link(nic: Nic) -> None:
    """Three descriptors, one a piece."""
    nic.head = nic.tx.write_chain(pieces(0))


def offer(nic: Nic) -> None:
    """The head's number, then the idx."""
    nic.tx.write_entry(nic.head)
    nic.tx.publish()


def kick(nic: Nic) -> str:
    """The device gathers the pieces and sends."""
    return send(nic)


def reap(nic: Nic) -> None:
    """One used entry; the whole chain comes back."""
    nic.tx.reap()


def table(nic: Nic) -> None:
    """The same three descriptors in a table of their own, and one in the ring that points there."""
    nic.head = nic.tx.write_chain(pieces(0), indirect_at=TABLE)
    tell_table(nic)


def through(nic: Nic) -> str:
    """Offered and kicked: the device reads the table, then the pieces."""
    offer(nic)
    return send(nic)


def full(nic: Nic) -> str:
    """Frames of three linked descriptors, until the free list is too short; then they go."""
    nic.tx.reap()
    nic.figure("fit.linked", add_all(nic, indirect=False))
    nic.tx.publish()
    return send(nic)


def fit(nic: Nic) -> str:
    """The same frames, each through a table."""
    take_back(nic)
    nic.figure("fit.indirect", add_all(nic, indirect=True))
    nic.tx.publish()
    return send(nic)


def fit_long(nic: Nic) -> str:
    """One frame in 22 pieces, more than the ring has slots: the header, and two bytes each."""
    take_back(nic)
    cut = [(TX_BUFFER, len(HEADER)), *((gpa + at, 2) for gpa, size in pieces(0)[1:] for at in range(0, size, 2))]
    nic.head = nic.tx.add(cut, indirect_at=TABLE)
    nic.figure("long.pieces", len(cut))
    nic.tx.publish()
    return send(nic)


def fit_loop(nic: Nic) -> str:
    """A table whose last descriptor points back to its first."""
    take_back(nic)
    nic.tx.add(pieces(0), indirect_at=TABLE)
    gpa, size = pieces(0)[-1]
    nic.rings[TX].write_table(TABLE, len(PIECES) - 1, Desc(gpa, size, NEXT, 0))
    tell_table(nic)
    nic.tx.publish()
    ended = send(nic)
    nic.bells[TX].look()
    return ended


# --- parts ----------------------------------------------------------------------------------------------------


def pieces(number: int) -> list[tuple[int, int]]:
    """Where the pieces of frame ``number`` lie, and their bytes."""
    first = TX_BUFFER + number * FRAME_APART
    return [(first + at * APART, len(piece)) for at, piece in enumerate(PIECES)]


def tell_table(nic: Nic) -> None:
    """The indirect table of the first frame, as it lies in memory."""
    data = nic.memory.read(TABLE, DESC_SIZE * len(PIECES))
    entries = [unpack_desc(data[at : at + DESC_SIZE]) for at in range(0, len(data), DESC_SIZE)]
    rows = [
        [str(n), f"{one.addr:#x}", str(one.len), "NEXT" if one.flags & NEXT else "-", str(one.next)]
        for n, one in enumerate(entries)
    ]
    nic.listing("table", rows)


def add_all(nic: Nic, *, indirect: bool) -> int:
    """Add the four frames one by one; returns how many found free descriptors."""
    for number in range(FRAMES):
        try:
            nic.tx.add(pieces(number), indirect_at=TABLE + number * TABLE_APART if indirect else None)
        except RingError:
            return number
    return FRAMES


def take_back(nic: Nic) -> None:
    """Everything the device is done with."""
    while nic.tx.reap() is not None:
        pass


def send(nic: Nic) -> str:
    """Kick, wait, and say what the witness at the tap has seen leave so far."""
    nic.tx.needs_kick()
    nic.tx.kick()
    ended = nic.settle(TX, RX)
    seen = [one.data for one in nic.own.told if isinstance(one.data, ev.Packet) and one.data.where == "tap"]
    out = [bytes.fromhex(packet.frame) for packet in seen if packet.direction == "out"]
    nic.figure("left.frames", len(out))
    nic.figure("left.bytes", len(out[-1]) if out else 0)
    nic.figure("left.same", sum(frame == REQUEST for frame in out))
    return ended
