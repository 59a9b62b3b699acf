"""One violation, done to a victim: what became of it, and whether anything else was hurt."""

from __future__ import annotations

import struct
from contextlib import ExitStack
from dataclasses import dataclass

from tour.abi import vhost_user as abi
from tour.abi.vhost_user import Request
from tour.device.contract import RX, TX
from tour.testing.guest import TX_BUFFER
from tour.testing.hostile.acts import ACTS
from tour.testing.hostile.catalogue import Verdict, Violation
from tour.testing.hostile.front import QUEUES, Front, desc, number
from tour.testing.hostile.raw import Raw, opened
from tour.testing.hostile.victim import Victim, descriptors, wait_for


@dataclass(frozen=True)
class Outcome:
    """What became of a violation. ``hurt`` names what else went wrong; nothing may."""

    verdict: Verdict
    reason: str
    hurt: tuple[str, ...] = ()

    def wrong(self, entry: Violation, victim: str) -> list[str]:
        """What is not as the catalogue has it."""
        found = list(self.hurt)
        if self.verdict != entry.expected(victim):
            found.append(f"{self.verdict} instead of {entry.expected(victim)}")
        if victim != "kernel" and entry.said() and self.reason != entry.said():
            found.append(f"reason {self.reason!r} instead of {entry.said()!r}")
        return found


def attack(victim: Victim, entry: Violation) -> Outcome:
    """Do ``entry`` to ``victim``, then see that nobody spins, nothing leaks, and the next one is served."""
    before = descriptors()
    seen = {"ring": _ring, "message": _message, "act": _act}[entry.kind](victim, entry)
    if seen.verdict == "SPINS":
        return seen
    hurt = list(seen.hurt)
    if not wait_for(lambda: _serves(victim), 1.0):
        hurt.append("the next front end is not served")
    if not wait_for(lambda: descriptors() <= before, 1.0):
        hurt.append(f"{descriptors() - before} descriptors leaked")
    return Outcome(seen.verdict, seen.reason, tuple(hurt))


def _serves(victim: Victim) -> bool:
    with Front(victim, []) as front:
        front.set_up()
        return front.completes(TX)


# -- rings ------------------------------------------------------------------------------------------------


def _ring(victim: Victim, entry: Violation) -> Outcome:
    how = entry.how
    index = QUEUES[how.get("queue", "TX")]
    with Front(victim, how.get("features", []), how.get("used", 0)) as front:
        front.set_up()
        _prepare(front, entry, index)
        front.write(index, [desc(raw) for raw in how.get("descs", [])], how.get("head", 0), how.get("idx"))
        if index == RX:
            front.arrive()
        return judge(front, index)


def _prepare(front: Front, entry: Violation, index: int) -> None:
    how, ring = entry.how, front.rings[index]
    front.memory.fill(TX_BUFFER, 0x1000, how.get("bytes", 0))
    front.table([desc(raw) for raw in how.get("table", [])])
    if "avail_flags" in how:
        ring.store_avail_flags(how["avail_flags"])
    if "used_event" in how:
        ring.store_used_event(how["used_event"])


def judge(front: Front, index: int) -> Outcome:
    """What became of ring ``index``: BROKEN once its err doorbell rang, PASS once all came back; SPINS when its
    worker is busy with neither. The other ring must still work."""
    wait_for(lambda: front.erred(index) or front.done(index))
    told = wait_for(front.new_reasons, 1.0) if front.erred(index) and front.victim.name != "kernel" else []
    if front.busy():
        return Outcome("SPINS", "")
    hurt = [] if front.completes(RX + TX - index) else ["the other ring does not work any more"]
    if front.erred(index):
        return Outcome("BROKEN", told[0] if told else "", tuple(hurt))
    if not front.done(index):
        hurt.append("neither the err doorbell nor a used element")
    return Outcome("PASS", "", tuple(hurt))


# -- messages ---------------------------------------------------------------------------------------------


def _message(victim: Victim, entry: Violation) -> Outcome:
    how = entry.how
    before = len(victim.reasons())
    with ExitStack() as stack:
        raw = stack.enter_context(Raw(victim.path))
        if how.get("negotiated", True):
            raw.negotiate()
        if "raw" in how:
            raw.sock.sendall(bytes.fromhex(how["raw"]))
        else:
            payload = struct.pack(how.get("layout", "="), *(number(one) for one in how.get("numbers", [])))
            request = how["request"]
            asked = request if isinstance(request, int) else Request[request].value
            raw.say(asked, payload, [stack.enter_context(opened(kind)) for kind in how.get("fds", [])], abi.NEED_REPLY)
        told = wait_for(lambda: victim.reasons()[before:])
    return Outcome("REJECT", told[0]) if told else Outcome("PASS", "")


def _act(victim: Victim, entry: Violation) -> Outcome:
    verdict, reason, hurt = ACTS[entry.id](victim)
    return Outcome(verdict, reason, tuple(hurt))
