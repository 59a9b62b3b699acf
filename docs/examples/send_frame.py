"""Send one frame through vhost-net: what QEMU asks of it, and what a guest's driver writes.

Runs on /dev/vhost-net where there is one, else on the embedded device; the tap is in a network of its own.
"""

import os

from tour.abi.names import Feature, word_of
from tour.agent.serve import enter_own_network
from tour.device.contract import TX, RingAddresses
from tour.device.embedded import EmbeddedDevice
from tour.device.kernel import PATH, KernelDevice
from tour.memory.guest import GuestMemory
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.net.tap import TapPort
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import plan
from tour.virtqueue.net_header import NetHeader
from tour.virtqueue.ring import Ring

enter_own_network()
tap, memory = TapPort(), GuestMemory([(0, 1 << 20)])
ring = Ring(memory, plan(num=8, base=0), TX)
kick, call = os.eventfd(0), os.eventfd(0)

# As QEMU: tell vhost where memory and ring lie, give it both doorbells, attach the tap.
device = KernelDevice() if os.access(PATH, os.R_OK | os.W_OK) else EmbeddedDevice()
device.set_owner()
device.set_features(word_of(Feature.VIRTIO_F_VERSION_1))
device.set_mem_table(memory.table)
device.set_vring_num(TX, ring.num)
device.set_vring_base(TX, 0)
device.set_vring_addr(TX, RingAddresses(ring.hva.desc, ring.hva.avail, ring.hva.used))
device.set_vring_kick(TX, kick)
device.set_vring_call(TX, call)
device.net_set_backend(TX, tap.fileno())

# As the guest's driver: fill a buffer, add it, publish, kick; sleep until the call; reap.
packet = NetHeader().pack() + arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
memory.write(0x10000, packet)
driver = DriverQueue(ring, kick=lambda: os.eventfd_write(kick, 1))
driver.add(out=[(0x10000, len(packet))])
driver.publish()
driver.kick()
os.eventfd_read(call)
print(f"{device.kind}: {driver.reap()}, avail.idx {ring.load_avail_idx()}, used.idx {ring.load_used_idx()}")

device.close()
