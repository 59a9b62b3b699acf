"""Lesson 14, who copies what: frames are changed behind the device's back, and a witness says which bytes left."""

from tour.device.contract import RX, TX
from tour.net.frames import (
    GUEST_IP,
    GUEST_MAC,
    ICMP_ECHO_REQUEST,
    PEER_IP,
    PEER_MAC,
    Echo,
    echo,
    ethernet,
)
from tour.scene import set_up, zero_copy
from tour.scene.nic import RX_BUFFER_SIZE, RX_BUFFERS, SETTLE_SECONDS, TX_BUFFER, Nic
from tour.trace import events as ev
from tour.trace.recorder import here
from tour.virtqueue.net_header import NetHeader

HEADER = NetHeader().pack()
ETH_P_LOCAL = 0x88B5
"""IEEE 802: for local experiments. No stack answers it."""
BODY = 1000
FILLER = 0xEE
PAYLOAD_AT = len(HEADER) + 14
PIECE = 600


def prepare(nic: Nic) -> None:
    """No receive buffers; a witness of the frames that leave; a frame of As in the ring, offered, not kicked."""
    nic.own.told = []
    nic.own.rows = []
    nic.recorder.sinks.append(nic.own.told.append)
    set_up.attach(nic)
    put(nic, frame("A"))
    nic.tx.publish()


def late(nic: Nic) -> str:
    """The driver changes the frame after it has offered it, and only then kicks."""
    change(nic, "B")
    ended = kick(nic)
    copied(nic, "@worker", "@buffer", "@skb", len(HEADER) + 14 + BODY)
    left(nic, "late")
    return ended


def after(nic: Nic) -> str:
    """A frame goes; once its buffer is back it is changed, and the witness asked only then."""
    put(nic, frame("C"))
    nic.tx.publish()
    nic.tx.kick()
    ended = nic.observers[TX].wait_quiescent(SETTLE_SECONDS)
    change(nic, "D")
    nic.settle(TX)
    copied(nic, "@worker", "@buffer", "@skb", len(HEADER) + 14 + BODY)
    left(nic, "after")
    return ended


def cover(nic: Nic) -> str:
    """You, as QEMU: put another page at the address that vhost was told."""
    put(nic, frame("E"))
    nic.tx.publish()
    gpa = TX_BUFFER
    hva = nic.memory.translate(gpa, 1)
    nic.memory.cover(gpa)
    call = ev.Syscall("mmap", [f"{hva:#x}", "4096", "PROT_READ|PROT_WRITE", "MAP_FIXED|MAP_PRIVATE|MAP_ANONYMOUS"], hva)
    nic.recorder.emit(call, actor="control", frame=here(), above=2)
    nic.memory.write(gpa, HEADER + frame("F"))
    ended = kick(nic)
    copied(nic, "@worker", "@hva", "@skb", len(HEADER) + 14 + BODY)
    nic.figure("cover.memfd", letter(nic.memory.kept(gpa + PAYLOAD_AT, BODY)))
    left(nic, "cover")
    nic.memory.uncover(gpa)
    return ended


def wait(nic: Nic) -> str:
    """A real ping of 1000 bytes; there is no buffer for the reply."""
    request = Echo(ICMP_ECHO_REQUEST, GUEST_MAC, PEER_MAC, GUEST_IP, PEER_IP, ident=14, seq=1, data=b"G" * BODY)
    put(nic, echo(request))
    nic.tx.publish()
    nic.tx.kick()
    ended = nic.settle(TX)
    copied(nic, "@worker", "@buffer", "@skb", len(HEADER) + 42 + BODY)
    return ended


def arrive(nic: Nic) -> str:
    """You, as guest: one buffer, all its bytes 0xee before."""
    return receive(nic, [RX_BUFFER_SIZE])


def arrive_pieces(nic: Nic) -> str:
    """Two buffers, each too small for the whole reply."""
    return receive(nic, [PIECE, PIECE])


def zero(nic: Nic) -> str:
    """One frame more, with the kernel asked what it says of zero copy."""
    return lend(nic)


def zero_switched(nic: Nic) -> str:
    """The device is closed, the module loaded with its switch on where that can be done, and all set up again."""
    bases = {index: nic.device.stop(index) for index in (RX, TX)}
    nic.close_device()
    if zero_copy.load_anew(zero_copy=True):
        nic.stack.callback(zero_copy.load_anew, zero_copy=False)
    set_up.hand_over(nic, bases)
    return lend(nic)


# --- parts ----------------------------------------------------------------------------------------------------


def frame(mark: str) -> bytes:
    """A frame whose 1000 bytes of payload are all ``mark``."""
    return ethernet(PEER_MAC, GUEST_MAC, ETH_P_LOCAL, mark.encode() * BODY)


def put(nic: Nic, data: bytes) -> None:
    """A packet in the transmit buffer, which the driver takes back first; described and entered."""
    nic.tx.reap()
    nic.write_buffer(TX_BUFFER, HEADER, "net_hdr")
    nic.write_buffer(TX_BUFFER + len(HEADER), data, "frame")
    nic.tx.add([(TX_BUFFER, len(HEADER) + len(data))])


def change(nic: Nic, mark: str) -> None:
    """The driver overwrites the payload."""
    nic.write_buffer(TX_BUFFER + PAYLOAD_AT, mark.encode() * BODY, "frame")


def kick(nic: Nic) -> str:
    """The doorbell, and the device's part."""
    nic.own.told.clear()
    nic.tx.kick()
    return nic.settle(TX)


def letter(payload: bytes) -> str:
    """The one letter that all bytes are, or what they are a mixture of."""
    return "".join(sorted({chr(byte) for byte in payload}))


def left(nic: Nic, step: str) -> None:
    """Which bytes the witness at the tap saw last, and how many."""
    seen = [one.data for one in nic.own.told if isinstance(one.data, ev.Packet) and one.data.where == "tap"]
    out = [bytes.fromhex(packet.frame) for packet in seen if packet.direction == "out"]
    nic.figure(f"{step}.left", letter(out[-1][14:]) if out else "@nothing")
    nic.own.told.clear()


def copied(nic: Nic, who: str, source: str, target: str, size: int) -> None:
    """One copy more in the account."""
    nic.own.rows.append([str(len(nic.own.rows) + 1), who, source, target, str(size)])
    nic.listing("copies", nic.own.rows)


def receive(nic: Nic, sizes: list[int]) -> str:
    """Offer buffers of these sizes, filled beforehand, kick, and count what of them changed."""
    filler = bytes([FILLER]) * RX_BUFFER_SIZE
    places = [RX_BUFFERS + number * RX_BUFFER_SIZE for number in range(len(sizes))]
    for gpa, size in zip(places, sizes, strict=True):
        nic.memory.write(gpa, filler)
        nic.rx.add([], [(gpa, size)])
    nic.rx.publish()
    nic.rx.kick()
    ended = nic.settle(RX)
    changed = [_changed(nic.memory.read(gpa, RX_BUFFER_SIZE)) for gpa in places]
    for size in changed:
        copied(nic, "@worker", "@skb", "@buffer_rx", size)
    nic.figure("in.changed", sum(changed))
    return ended


def _changed(data: bytes) -> int:
    """Bytes up to the last one that is no filler."""
    return len(data.rstrip(bytes([FILLER])))


def lend(nic: Nic) -> str:
    """Send a frame of Hs, change it to Is when its buffer is back or nothing moves, and tell what the kernel reports.

    A frame that was lent stays so until the witness has read its own: only then can its buffer come back.
    """
    nic.own.told.clear()
    reports = zero_copy.Reports()
    nic.stack.callback(reports.close)
    put(nic, frame("H"))
    nic.tx.publish()
    nic.tx.kick()
    nic.observers[TX].wait_quiescent(SETTLE_SECONDS)
    back = nic.rings[TX].load_used_idx() == nic.tx.avail_shadow
    change(nic, "I")
    nic.settle(TX)
    left(nic, "zero")
    ended = nic.settle(TX)
    told = reports.success()
    nic.figure("zero.switch", zero_copy.switch() or "@no_module" if nic.device.kind == "kernel" else "@no_module")
    nic.figure("zero.back", "@yes" if back else "@no")
    nic.figure("zero.asked", "@yes" if reports.possible else "@no")
    nic.figure("zero.lent", len(told))
    nic.figure("zero.kept", sum(told))
    reports.close()
    return ended
