"""The whole loop: a guest in KVM drives a transmit queue of a vhost device; ``python -m tests.kvm.loop kernel 10000``.

Kicks go by ioeventfd, calls by irqfd: between start and end this process does nothing for a packet.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from contextlib import ExitStack

from tour.abi.names import Feature
from tour.device.contract import TX, RingAddresses, VhostDevice
from tour.device.observer import eventfd_count
from tour.kvm.guests import FLAG_AT, INTERRUPTS_AT, IRQ_LINE, LAST_USED_AT, NOTIFY_PORT, RingPlaces, driver
from tour.kvm.machine import Machine
from tour.memory.guest import GuestMemory
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.net.port import Port, open_port
from tour.virtqueue.layout import plan

BUFFER = 0x5000
PACKET = bytes(12) + arp_request(GUEST_MAC, GUEST_IP, PEER_IP)


def run(device: VhostDevice, port: Port, times: int, seconds: float) -> dict[str, object]:
    """Send ``times`` packets; what was counted where. Raises TimedOut when a wake-up was lost."""
    ring = plan(8, 0x1000)
    with ExitStack() as stack:
        memory = stack.enter_context(GuestMemory([(0, 0x20000)]))
        memory.write(BUFFER, PACKET)
        kick, call = (os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(2))
        for fd in (kick, call):
            stack.callback(os.close, fd)
        attach(device, memory, port, kick, call)
        stack.callback(device.stop, TX)
        machine = stack.enter_context(Machine(memory))
        machine.ioeventfd(kick, NOTIFY_PORT, TX)
        machine.irqfd(call, IRQ_LINE)
        machine.load(driver(RingPlaces(8, ring.desc, ring.avail, ring.used, BUFFER, len(PACKET)), times))
        machine.start()
        machine.wait(seconds)
        words = struct.unpack("<HHHH", memory.read(FLAG_AT, 8))
        idx = [struct.unpack("<H", memory.read(at + 2, 2))[0] for at in (ring.avail, ring.used)]
        return {
            "returns": machine.returns, "interrupts": words[(INTERRUPTS_AT - FLAG_AT) // 2],
            "reaped": words[(LAST_USED_AT - FLAG_AT) // 2], "avail": idx[0], "used": idx[1],
            "kicks": eventfd_count(kick), "calls": eventfd_count(call), "statistics": machine.statistics.read(),
        }  # fmt: skip


def attach(device: VhostDevice, memory: GuestMemory, port: Port, kick: int, call: int) -> None:
    """What QEMU does: the device is told where memory and ring lie, and gets both eventfds."""
    ring = plan(8, 0x1000)
    device.set_owner()
    device.set_features(Feature.VIRTIO_F_VERSION_1.mask)
    device.set_mem_table(memory.table)
    device.set_vring_num(TX, 8)
    device.set_vring_base(TX, 0)
    hva = (memory.translate(at, 2) for at in (ring.desc, ring.avail, ring.used))
    device.set_vring_addr(TX, RingAddresses(*hva))
    device.set_vring_kick(TX, kick)
    device.set_vring_call(TX, call)
    device.start(TX, port)


def main(kind: str, times: int) -> None:
    """On a tap of our own (this is run where one may be made); prints one JSON object."""
    from tour.device.embedded import EmbeddedDevice
    from tour.device.kernel import KernelDevice

    port = open_port()
    with ExitStack() as stack:
        stack.callback(port.close)
        device = KernelDevice() if kind == "kernel" else EmbeddedDevice(gear="engine" if kind == "engine" else "python")
        stack.callback(device.close)
        found = run(device, port, times, 300.0)
    print(json.dumps({**found, "net": "tap" if port.real else "socketpair"}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
