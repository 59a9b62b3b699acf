"""Lesson 7, the backend socket: what vhost-net takes for one. A function returns the condition it ended on."""

from tour.abi.names import Feature
from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.net.port import open_wired
from tour.scene.files import closed, socket_type, udp_socket
from tour.scene.nic import TX_BUFFER, Nic
from tour.virtqueue.net_header import NetHeader

HEADER = NetHeader().pack()
REQUEST = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)


def udp(nic: Nic) -> str:
    """A UDP socket is offered."""
    return nic.attempt(nic.device.net_set_backend, TX, udp_socket(nic))


def tap(nic: Nic) -> None:
    """A tap is opened; its other end is a network stack."""
    nic.open_port()
    _watch(nic)


def _watch(nic: Nic) -> None:
    for index in (RX, TX):
        nic.watch(index)


def ask(nic: Nic) -> str:
    """What kind of socket is the tap's descriptor?"""
    return socket_type(nic, nic.port.fileno())


def offer(nic: Nic) -> str:
    """You, as guest: one ARP request, published and kicked."""
    nic.write_buffer(TX_BUFFER, HEADER, "net_hdr")
    nic.write_buffer(TX_BUFFER + len(HEADER), REQUEST, "frame")
    nic.tx.add([(TX_BUFFER, len(HEADER) + len(REQUEST))])
    nic.tx.publish()
    nic.tx.kick()
    return nic.settle(TX)


def tx(nic: Nic) -> str:
    """The transmit ring gets its backend socket. Long enough a look for the reply to come as far as it can."""
    nic.device.net_set_backend(TX, nic.port.fileno())
    return nic.settle(TX, RX)


def rx(nic: Nic) -> str:
    """The receive ring gets the same."""
    nic.device.net_set_backend(RX, nic.port.fileno())
    return nic.settle(RX, TX)


def stop(nic: Nic) -> None:
    """-1 takes the transmit ring's backend socket away; its base is not looked at: that is asked next."""
    nic.device.net_set_backend(TX, -1)
    nic.observers[TX].look()
    nic.observers[TX].look_at_worker()


def base(nic: Nic) -> None:
    """Where the ring would go on."""
    nic.device.get_vring_base(TX)


# --- forks ----------------------------------------------------------------------------------------------------


def udp_closed(nic: Nic) -> str:
    """The number of a closed descriptor is offered."""
    return nic.attempt(nic.device.net_set_backend, TX, closed(nic))


def tap_bridge(nic: Nic) -> None:
    """The tap is a port of a bridge, the peer behind another."""
    nic.use_port(open_wired("bridge", nic.recorder))
    _watch(nic)


def tap_raw(nic: Nic) -> None:
    """A raw packet socket on one end of a veth pair."""
    nic.use_port(open_wired("packet", nic.recorder))
    _watch(nic)


def ask_raw(nic: Nic) -> None:
    """A packet socket carries no virtio_net_hdr: let vhost take it off and put it on."""
    nic.device.set_features(nic.device.acknowledged | Feature.VHOST_NET_F_VIRTIO_NET_HDR.mask)


def tap_macvtap(nic: Nic) -> None:
    """A macvtap on one end of a veth pair."""
    nic.use_port(open_wired("macvtap", nic.recorder))
    _watch(nic)
