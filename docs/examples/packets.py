"""Packets by the burst: frames in a buffer of yours go through a driver and a device, none touched by Python."""

import array
import os

from tour.agent.serve import enter_own_network
from tour.device.embedded import EmbeddedDevice
from tour.device.kernel import PATH, KernelDevice
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.net.port import open_port
from tour.scene.packets import PacketIO

enter_own_network()
port = open_port()  # a tap with a peer behind it
device = KernelDevice() if os.access(PATH, os.R_OK | os.W_OK) else EmbeddedDevice(gear="engine")
with device, PacketIO(device, port) as packets:
    request = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
    sent = packets.send(request * 100, len(request))  # a hundred frames, one call
    into, lengths = bytearray(1 << 16), array.array("I", bytes(4 * 256))
    packets.wait_received(5.0)
    count = packets.recv(into, lengths)  # frame after frame in `into`, each as long as `lengths` says
    print(f"{device.kind}: {sent} sent; {count} received, the first of {lengths[0]} bytes")
port.close()
