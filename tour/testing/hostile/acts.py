"""Violations that take more than one message or one word: a function each, under its id in the catalogue.

Each gives the verdict, the reason that was told, and what was hurt that should not have been.
"""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any
from unittest import mock

from tour.abi import vhost_user as abi
from tour.abi.names import DescFlag
from tour.abi.vhost_user import Request
from tour.device.contract import RX, TX
from tour.device.vhost_user import connection
from tour.memory.table import MemoryTable
from tour.testing.guest import RX_BUFFER, TX_BUFFER
from tour.testing.hostile.catalogue import Verdict
from tour.testing.hostile.front import NUM, Front
from tour.testing.hostile.raw import Raw, opened
from tour.testing.hostile.victim import Victim, wait_for
from tour.virtqueue.ring import Desc

Became = tuple[Verdict, str, list[str]]
ACTS: dict[str, Callable[[Victim], Became]] = {}
HALF = abi.HEADER.pack(Request.VHOST_USER_SET_MEM_TABLE, abi.VERSION, 40)


def act(run: Callable[[Victim], Became]) -> Callable[[Victim], Became]:
    """Register a function; its name, with hyphens, is the id."""
    ACTS[run.__name__.removeprefix("_").replace("_", "-")] = run
    return run


def _refused(front: Front, *calls: tuple[Callable[..., object], Any]) -> Became:
    """All of ``calls`` must be refused, and for one reason."""
    taken = []
    for call, arguments in calls:
        with suppress(OSError):
            call(*arguments)
            taken.append(f"{arguments} was taken")
    reasons = set(front.new_reasons())
    return "REJECT" if reasons else "PASS", " and ".join(sorted(reasons)), taken


def _ring(front: Front, index: int, other: bool = True) -> Became:
    """What became of a ring; ``other``: whether the other one must go on."""
    wait_for(lambda: front.erred(index) or front.new_reasons() or front.done(index))
    wait_for(lambda: front.victim.name == "kernel" or front.new_reasons(), 0.2)
    told = front.new_reasons()
    hurt = ["the other ring does not work any more"] if other and not front.completes(RX + TX - index) else []
    if told or front.erred(index):
        return "BROKEN", told[0] if told else "", hurt
    return "PASS", "", hurt


# -- what is said -----------------------------------------------------------------------------------------


@act
def _ring_parts_outside_memory(victim: Victim) -> Became:
    with Front(victim, []) as front:
        front.device.set_owner()
        front.device.set_mem_table(front.memory.table)
        front.device.set_vring_num(TX, NUM)
        good = front.addresses(TX)
        end = front.memory.regions[0].hva + front.memory.regions[0].size
        bad = [
            replace(good, **{part: at}) for part in ("desc", "avail", "used") for at in (0, end - 16, (1 << 64) - 16)
        ]
        return _refused(front, *((front.device.set_vring_addr, (TX, where)) for where in bad))


@act
def _resized_while_running(victim: Victim) -> Became:
    with Front(victim, []) as front:
        front.set_up()
        device = front.device
        verdict, reason, hurt = _refused(front, (device.set_vring_num, (TX, 4)), (device.set_vring_base, (TX, 4)))
        return verdict, reason, hurt if front.completes(TX) else [*hurt, "the ring does not work any more"]


@act
def _half_a_message(victim: Victim) -> Became:
    before = len(victim.reasons())
    with mock.patch.object(connection, "HALF_SECONDS", 0.2), Raw(victim.path) as raw:
        raw.sock.sendall(HALF[:7])
        return "REJECT" if raw.closed() else "PASS", victim.reasons()[before], []


@act
def _gone_in_the_middle(victim: Victim) -> Became:
    before = len(victim.reasons())
    with Raw(victim.path) as raw, opened("memory") as fd:
        socket.send_fds(raw.sock, [HALF], [fd])
    return "PASS", "", victim.reasons()[before:]


@act
def _a_descriptor_with_every_byte(victim: Victim) -> Became:
    before = len(victim.reasons())
    with Raw(victim.path) as raw, opened("memory") as fd, suppress(OSError):
        for byte in HALF:
            socket.send_fds(raw.sock, [bytes([byte])], [fd])
    told = wait_for(lambda: victim.reasons()[before:])
    return ("REJECT", told[0], []) if told else ("PASS", "", [])


@act
def _replies_not_read(victim: Victim) -> Became:
    before = len(victim.reasons())
    with Raw(victim.path) as raw:
        wait_for(lambda: _flooded(raw))
    told = wait_for(lambda: victim.reasons()[before:])
    return ("REJECT", told[0], []) if told else ("PASS", "", [])


def _flooded(raw: Raw) -> bool:
    """Send many questions without waiting; whether the server has had enough."""
    try:
        raw.sock.send(abi.HEADER.pack(Request.VHOST_USER_GET_FEATURES, abi.VERSION, 0) * 64, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


@act
def _three_hundred_connections(victim: Victim) -> Became:
    with Front(victim, []) as front:
        front.set_up()
        for _ in range(300):
            with suppress(BlockingIOError):
                Raw(victim.path).sock.close()
        return "PASS", "", [] if front.completes(TX) else ["who was served before is not any more"]


# -- memory that goes away --------------------------------------------------------------------------------


@act
def _memory_truncated(victim: Victim) -> Became:
    with Front(victim, []) as front:
        front.set_up()
        for region in front.memory.regions:
            os.ftruncate(region.fd, 0)
        front.kick(TX)
        told = wait_for(front.new_reasons)
        for region in front.memory.regions:
            os.ftruncate(region.fd, region.size)
        return ("BROKEN", told[0], []) if told else ("PASS", "", [])


def _shrunk(victim: Victim, index: int) -> Became:
    with Front(victim, []) as front:
        front.set_up()
        os.ftruncate(front.memory.regions[1].fd, 0)
        descs = [Desc(RX_BUFFER, 2048, DescFlag.WRITE)] if index == RX else [Desc(TX_BUFFER, 72)]
        front.write(index, descs)
        if index == RX:
            front.arrive()
        wait_for(lambda: front.erred(index) or front.done(index))
        spins = front.busy()
        os.ftruncate(front.memory.regions[1].fd, front.memory.regions[1].size)
        return ("SPINS", "", []) if spins else _ring(front, index)


@act
def _buffers_truncated(victim: Victim) -> Became:
    return _shrunk(victim, TX)


@act
def _buffers_truncated_rx(victim: Victim) -> Became:
    return _shrunk(victim, RX)


@act
def _rings_removed_while_running(victim: Victim) -> Became:
    with Front(victim, []) as front:
        front.set_up()
        front.device.set_mem_table(MemoryTable(front.memory.regions[1:]))
        return _ring(front, TX, other=False)


@act
def _buffers_removed_while_running(victim: Victim) -> Became:
    with Front(victim, []) as front:
        front.set_up()
        front.good(TX)
        wait_for(lambda: front.done(TX))
        front.device.set_mem_table(MemoryTable(front.memory.regions[:1]))
        front.write(TX, [Desc(TX_BUFFER, 72)])
        wait_for(lambda: front.erred(TX) or front.done(TX))
        front.device.set_mem_table(front.memory.table)
        return _ring(front, TX)


# -- while it runs ----------------------------------------------------------------------------------------


@act
def _heads_rewritten_while_read(victim: Victim) -> Became:
    with Front(victim, ["VIRTIO_RING_F_INDIRECT_DESC"]) as front:
        front.set_up()
        ending = threading.Event()
        writer = threading.Thread(target=_rewrite, args=(front, ending))
        writer.start()
        wait_for(lambda: _kicked_and_erred(front))
        ending.set()
        writer.join()
        return _ring(front, TX)


def _kicked_and_erred(front: Front) -> bool:
    front.kick(TX)
    return front.erred(TX)


def _rewrite(front: Front, ending: threading.Event) -> None:
    """Heads, flags, lengths, addresses and the index, from one moment to the next."""
    ring, dice = front.rings[TX], random.Random(4711)
    while not ending.is_set():
        at = dice.randrange(NUM)
        flags, address = dice.randrange(8), dice.choice((0, 0x30000, TX_BUFFER, 0x70000, (1 << 64) - 8))
        ring.write_desc(at, Desc(address, dice.choice((0, 12, 72, 1 << 31)), flags, dice.randrange(NUM + 1)))
        ring.store_avail_entry(at, dice.choice((*range(NUM), 65535)))
        ring.store_avail_idx((ring.load_used_idx() + dice.randrange(NUM + 1)) & 0xFFFF)


@act
def _told_anew_in_traffic(victim: Victim) -> Became:
    with Front(victim, []) as front, ExitStack() as stack:
        front.set_up()
        device = front.device
        fds = [stack.enter_context(opened("eventfd")) for _ in range(3)]
        for turn in range(200):
            front.good(TX)
            device.set_features(front.features)
            device.set_mem_table(front.memory.table)
            device.set_vring_addr(TX, front.addresses(TX))
            device.set_vring_call(TX, fds[turn % 3])
            device.set_vring_err(RX, fds[turn % 3])
            if not wait_for(lambda: front.done(TX)):
                return "PASS", "", [f"packet {turn} was lost"]
        return "PASS", "", list(front.new_reasons())


@act
def _kicked_without_end(victim: Victim) -> Became:
    with Front(victim, []) as front:
        front.set_up()
        for _ in range(20000):
            front.kick(TX)
        return "PASS", "", _still(front)


@act
def _call_is_full(victim: Victim) -> Became:
    with Front(victim, []) as front, opened("eventfd") as full:
        os.eventfd_write(full, (1 << 64) - 2)
        front.set_up()
        front.device.set_vring_call(TX, full)
        return "PASS", "", _still(front)


@act
def _call_is_the_kick(victim: Victim) -> Became:
    with Front(victim, []) as front:
        front.set_up()
        front.device.set_vring_call(TX, front.bells[TX]["kick"])
        return "PASS", "", _still(front)


@act
def _call_is_a_socket(victim: Victim) -> Became:
    with Front(victim, []) as front, opened("socket") as fd:
        front.set_up()
        front.device.set_vring_call(TX, fd)
        return "PASS", "", _still(front)


@act
def _doorbells_are_pipes_without_an_end(victim: Victim) -> Became:
    with Front(victim, []) as front:
        kick, near = os.pipe2(os.O_CLOEXEC)
        far, call = os.pipe2(os.O_CLOEXEC)
        front.set_up()
        front.device.set_vring_kick(TX, kick)
        front.device.set_vring_call(TX, call)
        front.device.set_vring_err(TX, call)
        for fd in (kick, far, call):
            os.close(fd)
        front.device.start(TX, victim.tap)
        front.good(TX)
        os.write(near, bytes(8))
        hurt = [] if wait_for(lambda: front.done(TX)) else ["the ring was not kicked"]
        os.close(near)
        return "PASS", "", [*hurt, "somebody spins"] if front.busy() else hurt


def _still(front: Front) -> list[str]:
    """The ring must work, twice, and then rest."""
    hurt = [] if front.completes(TX) and front.completes(TX) else ["the ring does not work any more"]
    return [*hurt, "somebody spins"] if front.busy() else hurt
