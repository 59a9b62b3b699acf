"""A guest in KVM as the driver of a nic's transmit queue: its program runs, we look at what it wrote.

Its half of the ring is read from memory when all has come to rest; in which order it wrote between two looks is
inferred.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tour.device.contract import TX
from tour.device.fdinfo import eventfd_count
from tour.errors import TimedOut
from tour.kvm import sender
from tour.kvm.controller import Controller
from tour.kvm.machine import Machine
from tour.net.frames import GUEST_MAC, PEER_MAC, ethernet
from tour.scene.nic import Nic
from tour.trace import events as ev
from tour.virtqueue.net_header import NetHeader
from tour.virtqueue.ring import unpack_desc

POLL_SECONDS = 0.002
STILL_SECONDS = 0.2
"""How long nothing must move before nothing more is expected."""
PATIENCE = 20.0
ETH_P_LOCAL = 0x88B5
"""IEEE 802: for local experiments. No stack answers it."""
HEADER = NetHeader().pack()
FRAME = ethernet(PEER_MAC, GUEST_MAC, ETH_P_LOCAL, b"one frame from a real guest.")


class KvmGuest:
    """The sender's program on ``nic``'s memory, its kicks the transmit queue's. It stands at its first wait then; with
    ``wanted`` it has been told to kick so often without us. Raises CapabilityMissing("kvm"), TimedOut."""

    def __init__(self, nic: Nic, wanted: int = 0) -> None:
        self.nic, self.ring = nic, nic.rings[TX]
        self.machine = nic.stack.enter_context(Machine(nic.memory, nic.recorder))
        self.controller = Controller(self.machine)
        nic.write_buffer(sender.FRAME, HEADER + FRAME, "buffer")
        for gpa, value in (
            (sender.NEXT_AVAIL, nic.plan.base),
            (sender.LAST_USED, nic.plan.base),
            (sender.WANTED, wanted),
        ):
            nic.memory.write(gpa, value.to_bytes(2, "little"))
        self.machine.load(sender.SENDER)
        self.machine.ioeventfd(nic.bells[TX].fds["kick"], sender.PORT, sender.QUEUE)
        self._start, self._end = self.ring.gpa.desc, self.ring.gpa.used
        self._seen = nic.memory.read(self._start, self._end - self._start)
        self._avail_idx = self._last_used = nic.plan.base
        self._told: dict[str, int] = {}

    def begin(self) -> None:
        """Let it run to its first wait, and look."""
        self.machine.start()
        self._until(self._idle)
        self.look()

    def word(self, gpa: int) -> int:
        """One of the program's own 16-bit words."""
        return int.from_bytes(self.nic.memory.read(gpa, 2), "little")

    def listen(self, fd: int = -1) -> None:
        """Give the call eventfd, or another one, to KVM: from now on a write to it raises line 5."""
        self.machine.irqfd(self.nic.bells[TX].fds["call"] if fd < 0 else fd, sender.CALL_LINE)

    # --- letting it run -----------------------------------------------------------------------------------

    def press(self) -> str:
        """One key: the guest goes on to the next of its waits. Returns the condition in which all came to rest."""
        self.key()
        return self.rest()

    def key(self) -> None:
        """Raise the key's line for a moment."""
        self.controller.pulse(sender.KEY_LINE)

    def interrupt(self) -> None:
        """Raise line 5 for a moment by calls of our own, as a process does that has no irqfd; then look."""
        self.controller.pulse(sender.CALL_LINE)
        self.rest()

    def rest(self) -> str:
        """Until guest, device and interrupts rest, then look. Returns the condition. Raises TimedOut."""
        self._until(self._idle)
        ended = self.nic.settle(TX)
        self._follow()
        self.look()
        return ended

    def _idle(self) -> bool:
        """Whether every key was obeyed and the processor waits in ``hlt``."""
        return not self.word(sender.KEYS) and self.controller.idle()

    def _until(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                raise TimedOut(f"The guest was still busy after {seconds:g} seconds.")
            time.sleep(POLL_SECONDS)

    def _follow(self) -> None:
        """An interrupt may still be on its way when the ring rests: KVM's work queue raises the line after the call."""
        quiet_since, last = time.monotonic(), self._interrupts()
        while time.monotonic() - quiet_since < STILL_SECONDS:
            time.sleep(POLL_SECONDS)
            now = self._interrupts()
            quiet_since, last = (quiet_since, last) if now == last else (time.monotonic(), now)
        self._until(self._idle)

    def _interrupts(self) -> tuple[int, bool]:
        return self.word(sender.HANDLED), self.controller.pending(sender.CALL_LINE)

    # --- looking ------------------------------------------------------------------------------------------

    def look(self) -> None:
        """The processor, what it has counted, the doorbells, and the guest's half of the ring."""
        self.machine.stop()
        self.machine.tell(back=True)
        self.machine.start()
        self._tell("returns", self.machine.returns)
        self._tell("handled", self.word(sender.HANDLED))
        self._tell("kicks", self.word(sender.KICKS))
        self._tell("pending", int(self.controller.pending(sender.CALL_LINE)))
        self._look_at_counts()
        self._look_at_reaped()
        self._look_at_ring()

    def _tell(self, name: str, value: int) -> None:
        """A figure, where it is another than the last."""
        if self._told.get(name) != value:
            self._told[name] = value
            self.nic.figure(name, value)

    def _look_at_ring(self) -> None:
        """What the guest published since the last look: descriptors and entries, then the index."""
        ring, idx = self.ring, self.ring.load_avail_idx()
        count = min((idx - self._avail_idx) & 0xFFFF, ring.num)
        now = self.nic.memory.read(self._start, self._end - self._start)
        for at in ((idx - count + n) & 0xFFFF for n in range(count)):
            head = ring.read_avail_entry(at)
            self._store(now, f"desc[{head}]", ring.gpa.desc_at(head), 16)
            self._store(now, f"avail.ring[{ring.slot(at)}]", ring.gpa.avail_ring(ring.slot(at)), 2)
        if count:
            self._store(now, "avail.idx", ring.gpa.avail_idx, 2)
            self._private("avail_shadow", self._avail_idx, idx)
        self._seen, self._avail_idx = now, idx

    def _store(self, now: bytes, field: str, gpa: int, size: int) -> None:
        at = gpa - self._start
        before, after = self._seen[at : at + size], now[at : at + size]
        old, new = (
            list(unpack_desc(raw)) if size == 16 else [int.from_bytes(raw, "little")] for raw in (before, after)
        )
        wrote = ev.Store(TX, field, gpa, before.hex(), after.hex(), old, new)
        self.nic.recorder.emit(wrote, actor="driver", source="observer", inferred=True)

    def _private(self, name: str, before: int, after: int) -> None:
        moved = ev.Private(TX, name, before, after)
        self.nic.recorder.emit(moved, actor="driver", source="observer")

    def _look_at_reaped(self) -> None:
        """Chains the guest took back: its own next to read, and the used entries it passed."""
        last = self.word(sender.LAST_USED)
        count = min((last - self._last_used) & 0xFFFF, self.ring.num)
        for at in ((last - count + n) & 0xFFFF for n in range(count)):
            used = self.ring.read_used_entry(at)
            reaped = ev.Action("reap", TX, {"head": used.head, "len": used.len})
            self.nic.recorder.emit(reaped, actor="driver", source="observer", inferred=True)
        if count:
            self._private("last_used_idx", self._last_used, last)
        self._last_used = last

    def _look_at_counts(self) -> None:
        """Kick and call as /proc has them, where they are others than at the last look."""
        for name in ("kick", "call"):
            fd = self.nic.bells[TX].fds[name]
            count = eventfd_count(fd)
            if self._told.get(f"fd {name}", 0) != count:
                self._told[f"fd {name}"] = count
                self.nic.recorder.emit(ev.Count(TX, name, fd, count), actor="driver", source="observer")
