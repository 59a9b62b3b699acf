"""Lesson 18, live migration: what really happens at each step. A function returns the condition it ended on."""

from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, NET_HDR_LEN, PEER_IP, arp_request
from tour.scene.migration import LOG_ALL, Move, Place, dropped, peer_sends, receive, shorten_queue
from tour.scene.nic import RX_BUFFERS, TX_BUFFER, Nic
from tour.virtqueue.net_header import NetHeader

HEADER = NetHeader().pack()
SECOND_BUFFER = TX_BUFFER + 0x1000
NOBODY = "10.0.2.9"
QUEUE, FEW, MANY = 16, 12, 24
"""Frames the tap holds in this lesson; how many come while the guest is paused."""
UDP_DATA = NET_HDR_LEN + 42
"""Where a datagram's data begin in a receive buffer: virtio_net_hdr, Ethernet 14, IPv4 20, UDP 8."""


def prepare(nic: Nic) -> None:
    """A second device stands ready, all told but base and backend socket; the tap's queue is made short."""
    shorten_queue(nic, QUEUE)
    nic.own.move = Move(nic)
    nic.own.dropped = dropped(nic)


def bitmap(nic: Nic) -> None:
    """Where vhost is to note the pages it writes."""
    nic.device.set_log_base(nic.own.move.log)


def log_all(nic: Nic) -> None:
    """One bit more in the feature word switches noting on."""
    nic.device.set_features(nic.vhost_features | LOG_ALL)


def rings(nic: Nic) -> None:
    """The used rings are told again, with the flag and their guest address."""
    nic.own.move.log_rings(on=True)


def copy(nic: Nic) -> None:
    """The first round: every page, while the device serves on."""
    nic.own.move.copy_all()


def dirty(nic: Nic) -> str:
    """An ARP request leaves, its reply comes: then both logs are looked at."""
    send(nic, TX_BUFFER, arp_request(GUEST_MAC, GUEST_IP, PEER_IP), kick=True)
    ended = nic.settle(TX, RX)
    nic.tx.reap()
    receive(nic)
    for index in (TX, RX):
        nic.bells[index].drain_call()
    show_dirty(nic)
    return ended


def stop(nic: Nic) -> None:
    """The guest is paused with a frame published and no kick yet; then the rings stop."""
    send(nic, SECOND_BUFFER, arp_request(GUEST_MAC, GUEST_IP, NOBODY), kick=False)
    nic.own.bases = nic.own.move.stop()
    tell_bases(nic)


def last(nic: Nic) -> None:
    """The last round: what was written since the first."""
    nic.own.move.copy_dirty()


def resume(nic: Nic) -> str:
    """Frames come while nobody serves; then the second device begins."""
    return hand_over(nic, nic.own.move.there, FEW)


def back(nic: Nic) -> str:
    """The same way back, after a pause with more frames than the tap can hold."""
    move = nic.own.move
    nic.own.bases = move.stop()
    tell_bases(nic)
    move.here, move.there = move.there, move.here
    move.copy_all()
    return hand_over(nic, move.there, MANY)


# --- forks ----------------------------------------------------------------------------------------------------


def stop_early(nic: Nic) -> None:
    """The bases are asked for while the rings still run; then one frame more goes out."""
    nic.own.bases = {index: nic.device.get_vring_base(index) for index in (TX, RX)}
    send(nic, SECOND_BUFFER, arp_request(GUEST_MAC, GUEST_IP, NOBODY), kick=True)
    nic.settle(TX)
    for index in (TX, RX):
        nic.device.net_set_backend(index, -1)
    tell_bases(nic)


def last_no_last(nic: Nic) -> None:
    """Nothing is copied any more; the ends are only compared."""
    nic.own.move.compare()


def resume_no_last(nic: Nic) -> str:
    """The second device begins on memory as it was after the first round."""
    return nic.own.move.resume(nic.own.move.there, nic.own.bases)


def back_no_last(nic: Nic) -> str:
    """The first end goes on where it stopped: its memory was only read."""
    nic.own.move.stop()
    return hand_over(nic, nic.own.move.here, FEW)


# --- parts ----------------------------------------------------------------------------------------------------


def send(nic: Nic, gpa: int, frame: bytes, kick: bool) -> None:
    """Write a packet, offer it, and ring if asked to."""
    nic.write_buffer(gpa, HEADER, "net_hdr")
    nic.write_buffer(gpa + len(HEADER), frame, "frame")
    nic.tx.add([(gpa, len(HEADER) + len(frame))])
    nic.tx.publish()
    if kick and nic.tx.needs_kick():
        nic.tx.kick()


def tell_bases(nic: Nic) -> None:
    """What GET_VRING_BASE returned, for the next device."""
    nic.figure("base.tx", nic.own.bases[TX])
    nic.figure("base.rx", nic.own.bases[RX])


def show_dirty(nic: Nic) -> None:
    """Pages in vhost's log and pages the guest wrote by our own trace, side by side."""
    move = nic.own.move
    device, guest = move.marked(), move.written
    rows = [[f"{gpa:#x}", mark(gpa in device), mark(gpa in guest), what(nic, gpa)] for gpa in sorted(device | guest)]
    nic.figure("log.device", len(device))
    nic.figure("log.both", len(device & guest))
    nic.figure("log.guest_only", len(guest - device))
    nic.listing("dirty", rows)


def mark(there: bool) -> str:
    """A cell of the listing."""
    return "@yes" if there else "-"


def what(nic: Nic, gpa: int) -> str:
    """What lies in that page."""
    for index, name in ((TX, "@tx_ring"), (RX, "@rx_ring")):
        if nic.rings[index].gpa.desc // 4096 == gpa // 4096:
            return name
    return "@rx_buffer" if gpa >= RX_BUFFERS else "@tx_buffer"


def hand_over(nic: Nic, place: Place, count: int) -> str:
    """``count`` frames for the guest come in the pause; then ``place`` resumes and the guest takes all it gets."""
    peer_sends(range(count))
    ended = nic.own.move.resume(place, nic.own.bases)
    got = [int(packet[UDP_DATA : UDP_DATA + 6]) for packet in receive(nic)]
    nic.figure("sent", count)
    nic.figure("got", len(got))
    nic.figure("gaps", sum(one != number for number, one in enumerate(got)))
    nic.figure("dropped", dropped(nic) - nic.own.dropped)
    nic.own.dropped = dropped(nic)
    return ended
