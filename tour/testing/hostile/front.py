"""The attacker: guest memory, both rings and their doorbells, told to a victim; words written that no driver writes."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from tour.abi.names import DescFlag, Feature, word_of
from tour.device.contract import RX, TX, RingAddresses
from tour.device.fdinfo import eventfd_count
from tour.memory.guest import GuestMemory
from tour.testing.bench import FEATURES, LAYOUT, RING_GPA
from tour.testing.guest import HEADER, RX_BUFFER, TABLE, TX_BUFFER, frame
from tour.testing.hostile.victim import Victim, wait_for
from tour.virtqueue.layout import RingLayout
from tour.virtqueue.ring import Desc, Ring

NUM = 8
LOOK = 0.1
"""Seconds to look whether anybody is busy with nothing."""
QUEUES = {"RX": RX, "TX": TX}


def number(value: int | str) -> int:
    """A number of the catalogue: what TOML's numbers cannot hold is written as text."""
    return value if isinstance(value, int) else int(value, 0)


def desc(raw: list[Any]) -> Desc:
    """A descriptor of the catalogue: [address, length, flags, next], the last two may be left out."""
    flags = _flags(raw[2]) if len(raw) > 2 else 0
    return Desc(number(raw[0]), number(raw[1]), flags, raw[3] if len(raw) > 3 else 0)


def _flags(text: str) -> int:
    return sum(DescFlag[word] if word in DescFlag.__members__ else int(word, 0) for word in text.split("|"))


class Front:
    """Everything a front end has. ``used`` moves the transmit ring's used ring to another guest address."""

    def __init__(self, victim: Victim, features: list[str], used: int = 0) -> None:
        self._stack = ExitStack()
        self.victim = victim
        self.features = FEATURES | word_of(*(Feature[name] for name in features))
        self.memory = self._stack.enter_context(GuestMemory(LAYOUT))
        self.device = victim.connect()
        self._stack.callback(self.device.close)
        self.bells = {index: {name: self.bell() for name in ("kick", "call", "err")} for index in (RX, TX)}
        self.rings = {index: self._ring(index, used if index == TX else 0) for index in (RX, TX)}
        self._broken = len(victim.reasons())

    def _ring(self, index: int, used: int) -> Ring:
        gpa = RING_GPA[index]
        return Ring(self.memory, RingLayout(NUM, gpa, gpa + 16 * NUM, used or gpa + 0x4000), index)

    def bell(self) -> int:
        """A new eventfd."""
        fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stack.callback(os.close, fd)
        return fd

    # --- control ---

    def set_up(self) -> None:
        """Everything up to running rings."""
        self.device.set_owner()
        self.device.set_features(self.features)
        self.device.set_mem_table(self.memory.table)
        for index in (RX, TX):
            self.tell(index)

    def tell(self, index: int) -> None:
        """Ring ``index`` told and started."""
        device, bells = self.device, self.bells[index]
        device.set_vring_num(index, NUM)
        device.set_vring_base(index, 0)
        device.set_vring_addr(index, self.addresses(index))
        device.set_vring_kick(index, bells["kick"])
        device.set_vring_call(index, bells["call"])
        device.set_vring_err(index, bells["err"])
        device.start(index, self.victim.tap)

    def addresses(self, index: int) -> RingAddresses:
        """Where ring ``index`` lies, in addresses of this process."""
        place = self.rings[index].hva
        return RingAddresses(place.desc, place.avail, place.used)

    # --- what a driver writes ---

    def kick(self, index: int) -> None:
        """Ring the kick doorbell."""
        os.eventfd_write(self.bells[index]["kick"], 1)

    def write(self, index: int, descs: list[Desc], head: int = 0, idx: int | None = None) -> None:
        """Descriptors from 0 on, ``head`` in all slots, avail.idx one further (or ``idx``), a kick."""
        ring = self.rings[index]
        for at, one in enumerate(descs):
            ring.write_desc(at, one)
        for slot in range(NUM):
            ring.store_avail_entry(slot, head)
        ring.store_avail_idx((ring.load_avail_idx() + 1) & 0xFFFF if idx is None else idx)
        self.kick(index)

    def good(self, index: int) -> None:
        """One chain as it should be, on a ring nothing was done to, and for receiving a frame to arrive."""
        if index == TX:
            self.memory.write(TX_BUFFER, HEADER + frame(7))
            self.write(TX, [Desc(TX_BUFFER, 72)])
        else:
            self.write(RX, [Desc(RX_BUFFER, 2048, DescFlag.WRITE)])
            self.arrive()

    def arrive(self) -> None:
        """A frame comes in from the network."""
        self.victim.tap.far.send(frame(1))

    def table(self, entries: list[Desc]) -> None:
        """Write an indirect table."""
        self.memory.write(TABLE, b"".join(entry.pack() for entry in entries))

    # --- what became of it ---

    def erred(self, index: int) -> bool:
        """Whether the err doorbell was rung."""
        return eventfd_count(self.bells[index]["err"]) > 0

    def done(self, index: int) -> bool:
        """Whether the device has completed all that was published."""
        ring = self.rings[index]
        return ring.load_used_idx() == ring.load_avail_idx()

    def completes(self, index: int) -> bool:
        """Whether a good chain on ring ``index`` comes back."""
        self.good(index)
        return wait_for(lambda: self.done(index))

    def new_reasons(self) -> list[str]:
        """What the victim has told of this attacker so far."""
        return self.victim.reasons()[self._broken :]

    def busy(self) -> bool:
        """Whether somebody works with nothing to do: the kernel's worker, or a thread of ours."""
        before = self._cpu()
        time.sleep(LOOK)
        return self._cpu() - before > LOOK / 2

    def _cpu(self) -> float:
        """Seconds of CPU that the device's worker has used; ours runs in this process."""
        worker = self.device.worker if self.victim.name == "kernel" else None
        return worker.look().ticks / os.sysconf("SC_CLK_TCK") if worker else time.process_time()

    def close(self) -> None:
        """Let go of everything."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
