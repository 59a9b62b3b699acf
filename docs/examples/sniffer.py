"""A packet sniffer on vhost: the kernel writes frames from a raw packet socket into our buffers; no read, no recv.

    sudo python sniffer.py eth0 20

Prints 20 frames that pass the link. Ring and buffers are this program's own memory; the worker copies there.
"""

import array
import os
import socket
import sys

from tour.abi.names import Feature, word_of
from tour.device.embedded import EmbeddedDevice
from tour.device.kernel import PATH, KernelDevice
from tour.net.observer import ETH_P_ALL
from tour.scene.packets import WANTED, PacketIO

link, left = sys.argv[1], int(sys.argv[2])
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK)
raw.bind((link, ETH_P_ALL))
device = KernelDevice() if os.access(PATH, os.R_OK | os.W_OK) else EmbeddedDevice(gear="engine")
# The socket brings frames without a virtio_net_hdr: vhost itself is to put one before each.
with PacketIO(device, raw, wanted=WANTED | word_of(Feature.VHOST_NET_F_VIRTIO_NET_HDR)) as packets:
    print(f"{device.kind}: listening on {link}", flush=True)
    room, lengths = bytearray(1 << 20), array.array("I", bytes(4 * 256))
    while left > 0:
        packets.wait_received(1.0)
        at = 0
        for length in lengths[: packets.recv(room, lengths)]:
            frame, at, left = room[at : at + length], at + length, left - 1
            print(f"{length:5} {frame[6:12].hex(':')} -> {frame[:6].hex(':')} {frame[12:14].hex()}", flush=True)
device.close()
