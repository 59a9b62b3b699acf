"""How a network device comes to stand, stage by stage: what lessons 2 to 7 do one call a step, done at one go.

The order is that of ``STAGES``. A lesson names the last stage that is to stand before its first step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tour.device.contract import RX, TX, RingAddresses
from tour.scene.nic import RX_BUFFER_SIZE, RX_BUFFERS, Nic
from tour.scene.restore import Pieces, RingPoint, free_list, offered_since, restore_memory


def open_device(nic: Nic) -> None:
    """You, as QEMU: open the device."""
    nic.open_device()


def own(nic: Nic) -> None:
    """Become its owner: the worker appears."""
    nic.device.set_owner()


def features(nic: Nic) -> None:
    """Read vhost's feature word, offer, let the driver choose, and tell vhost its part of the choice."""
    nic.ask()
    nic.offer()
    nic.acknowledge()
    nic.device.set_features(nic.vhost_features)


def memory(nic: Nic) -> None:
    """Map guest memory, and tell the device where it lies."""
    nic.map_memory()
    nic.device.set_mem_table(nic.memory.table)


def vrings(nic: Nic) -> None:
    """Place both rings in guest memory, and tell the device."""
    nic.place_rings()
    if nic.plan.base:
        nic.tx.set_base(nic.plan.base)
    tell_rings(nic, {RX: 0, TX: nic.plan.base})


def tell_rings(nic: Nic, bases: dict[int, int]) -> None:
    """Size, base and addresses of each ring."""
    for index, ring in nic.rings.items():
        nic.device.set_vring_num(index, ring.num)
        nic.device.set_vring_base(index, bases[index])
        nic.device.set_vring_addr(index, RingAddresses(ring.hva.desc, ring.hva.avail, ring.hva.used))


def doorbells(nic: Nic) -> None:
    """Make the eventfds of both rings, and hand them over."""
    for bells in nic.bells.values():
        bells.make()
    give_doorbells(nic)


def give_doorbells(nic: Nic) -> None:
    """Hand eventfds over that are there already."""
    for index, bells in nic.bells.items():
        nic.device.set_vring_kick(index, bells.fds["kick"])
        nic.device.set_vring_call(index, bells.fds["call"])
        nic.device.set_vring_err(index, bells.fds["err"])


def fill(nic: Nic) -> None:
    """You, as guest: a device has no buffers of its own, so the driver offers some to receive into."""
    for number in range(nic.plan.buffers):
        head = nic.rx.write_chain([], [(RX_BUFFERS + number * RX_BUFFER_SIZE, nic.plan.room)])
        nic.rx.write_entry(head)
    nic.rx.publish()


def attach(nic: Nic) -> None:
    """Give each ring its backend socket: it runs."""
    nic.open_port()
    for index in (RX, TX):
        nic.watch(index)
        nic.device.start(index, nic.port)
    nic.settle(RX, TX)


def hand_over(nic: Nic, bases: dict[int, int]) -> str:
    """A fresh device takes rings over that another one served, with their memory, doorbells and port, each from the
    available entry of ``bases`` on. Returns the condition it came to rest in."""
    for stage in (open_device, own, features):
        stage(nic)
    nic.device.set_mem_table(nic.memory.table)
    tell_rings(nic, bases)
    give_doorbells(nic)
    nic.received = nic.rings[RX].load_used_idx()
    for index in (RX, TX):
        nic.watch(index)
        nic.device.start(index, nic.port)
    return nic.settle(RX, TX)


STAGES: dict[str, Callable[[Nic], None]] = {
    "open": open_device, "own": own, "features": features, "memory": memory, "vrings": vrings,
    "doorbells": doorbells, "fill": fill, "attach": attach,
}  # fmt: skip


def set_up(nic: Nic, last: str) -> None:
    """All stages up to and including ``last``; none for the empty name."""
    names = list(STAGES)
    for name in names[: names.index(last) + 1] if last else ():
        STAGES[name](nic)


def set_up_from(nic: Nic, image: Pieces, points: Sequence[RingPoint]) -> None:
    """All stages, going on from the memory and the indices of a moment of the past."""
    for stage in (open_device, own, features, memory):
        stage(nic)
    nic.place_rings()
    bases = {point.queue: point.last_avail_idx for point in points}
    before, offered = offered_since(nic.rings[TX], bases[TX], image)
    restore_memory(nic.memory, nic.rings.values(), before, nic.recorder)
    nic.received = nic.rings[RX].load_used_idx()
    tell_rings(nic, bases)
    doorbells(nic)
    for point in points:
        nic.bells[point.queue].put_calls(point.calls)
    attach(nic)
    restore_memory(nic.memory, nic.rings.values(), offered, nic.recorder)
    for point in points:
        queue = nic.tx if point.queue == TX else nic.rx
        queue.restore(point.avail_shadow, point.last_used_idx, point.in_flight)
        free_list(queue.ring, point, image, nic.recorder)
