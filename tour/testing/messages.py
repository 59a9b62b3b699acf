"""Message rules: what any vhost-user back-end must do with messages, asked over its socket.

The third part of the contract suite. A rule's answer is ``ok``, or what the back-end did instead; sources are sections
of vhost-user, QEMU docs/interop/vhost-user.rst@7.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tour.abi import vhost_user as abi
from tour.abi.names import VRING_AVAIL_F_NO_INTERRUPT
from tour.abi.vhost_user import ProtocolFeature, Request
from tour.device.contract import RX, TX
from tour.device.vhost_user.connection import send_message
from tour.device.vhost_user.front_end import PROTOCOL_BIT
from tour.errors import TimedOut, TourError
from tour.memory.guest import RegionSpec
from tour.testing.front import FEATURES, Driver, wait_for

PACKET = bytes(12) + bytes(60)
SHORT = 0.5
"""Seconds after which what should not happen did not happen."""
OK = "ok"


@dataclass(frozen=True)
class Rule:
    """One rule: its name, the specification's section, and what it does to a back-end."""

    name: str
    section: str
    run: Callable[[Path], str]

    def ask(self, path: Path) -> str:
        """``ok``, or what happened instead."""
        try:
            return self.run(path)
        except (OSError, TourError) as error:
            return f"{type(error).__name__}: {error}"


_RULES: list[Rule] = []


def rule(section: str) -> Callable[[Callable[[Path], str]], Callable[[Path], str]]:
    """Register a function as a rule of that section; its name, with spaces, is the rule's."""

    def register(run: Callable[[Path], str]) -> Callable[[Path], str]:
        _RULES.append(Rule(run.__name__.strip("_").replace("_", " "), section, run))
        return run

    return register


def rules() -> Iterator[Rule]:
    """All rules, in the order they were written."""
    return iter(_RULES)


def answers(path: Path, told: Callable[[str, str], None] | None = None) -> dict[str, str]:
    """What the back-end on ``path`` answers, rule by rule; ``told`` hears each as it comes."""
    got = {}
    for one in rules():
        got[one.name] = one.ask(path)
        if told:
            told(one.name, got[one.name])
    return got


def _sends(driver: Driver, count: int = 1) -> str:
    """Whether ``count`` packets are taken and called for."""
    driver.rang(TX, "call")
    driver.send(*[PACKET] * count)
    driver.reap(TX, count)
    wait_for(lambda: driver.rang(TX, "call"))
    return OK


@rule("Communication")
def _protocol_features_are_told_before_features_are_set(path: Path) -> str:
    with Driver(path) as driver:
        return OK if driver.device.protocol else "no protocol features"


@rule("VHOST_USER_PROTOCOL_F_REPLY_ACK")
def _a_message_that_wants_an_answer_gets_one(path: Path) -> str:
    with Driver(path) as driver:
        if not ProtocolFeature.VHOST_USER_PROTOCOL_F_REPLY_ACK.on(driver.device.protocol):
            return "REPLY_ACK is not offered"
        driver.device.set_owner()
        return OK


@rule("Multiple queue support")
def _the_number_of_queue_pairs_is_told(path: Path) -> str:
    with Driver(path) as driver:
        count = driver.device.queue_num()
        return OK if count >= 1 else f"{count} queue pairs"


@rule("Ring states")
def _a_ring_that_is_started_and_enabled_works(path: Path) -> str:
    with Driver(path) as driver:
        driver.set_up()
        return _sends(driver, 3)


@rule("Ring states")
def _what_a_disabled_ring_sends_is_taken_and_discarded(path: Path) -> str:
    with Driver(path) as driver:
        driver.set_up()
        _sends(driver)
        driver.device.set_vring_enable(TX, False)
        driver.send(PACKET)
        driver.reap(TX, 1)
        driver.device.set_vring_enable(TX, True)
        return _sends(driver)


@rule("Ring states")
def _get_vring_base_stops_the_ring_and_tells_where(path: Path) -> str:
    with Driver(path) as driver:
        driver.set_up()
        _sends(driver, 3)
        base = driver.device.stop(TX)
        driver.send(PACKET)
        if base != 3:
            return f"base {base} after 3 chains"
        return _nothing(driver)


def _nothing(driver: Driver) -> str:
    try:
        driver.reap(TX, 1, SHORT)
    except TimedOut:
        return OK
    return "a stopped ring was worked on"


@rule("VHOST_USER_SET_VRING_BASE")
def _rings_go_on_from_the_base_that_is_set(path: Path) -> str:
    with Driver(path, base=65534) as driver:
        driver.set_up()
        _sends(driver, 3)
        bases = driver.device.stop(RX), driver.device.stop(TX)
        if bases != (65534, 1):
            return f"bases {bases}"
        driver.tell(RX, 65534)
        driver.tell(TX, 1)
        return _sends(driver)


@rule("VHOST_USER_SET_VRING_CALL")
def _a_driver_that_wants_no_call_gets_none(path: Path) -> str:
    with Driver(path) as driver:
        driver.rings[TX].store_avail_flags(VRING_AVAIL_F_NO_INTERRUPT)
        driver.set_up()
        driver.rang(TX, "call")
        driver.send(PACKET)
        driver.reap(TX, 1)
        return "it rang" if driver.rang(TX, "call") else OK


@rule("VHOST_USER_SET_MEM_TABLE")
def _memory_may_grow_while_rings_run(path: Path) -> str:
    with Driver(path) as driver:
        driver.set_up()
        _sends(driver)
        more = driver.memory.add(RegionSpec(0x200000, 0x10000))
        driver.device.set_mem_table(driver.memory.table)
        driver.memory.write(more.gpa, PACKET)
        driver.queues[TX].add(out=[(more.gpa, len(PACKET))])
        driver.queues[TX].publish()
        driver.kick(TX)
        driver.reap(TX, 1)
        return _sends(driver)


@rule("VHOST_USER_SET_FEATURES")
def _features_that_were_not_offered_are_refused(path: Path) -> str:
    with Driver(path) as driver:
        missing = ~(driver.device.get_features() | PROTOCOL_BIT) & ((1 << 62) - 1)
        driver.device.set_owner()
        return _refused(lambda: driver.device.set_features(FEATURES | missing & -missing))


@rule("Message Specification")
def _an_unknown_message_is_refused(path: Path) -> str:
    with Driver(path) as driver:
        send_message(driver.device.sock, 9999, abi.VERSION | abi.NEED_REPLY, b"", [])
        return _refused(driver.device.get_features)


@rule("Message Specification")
def _a_payload_of_the_wrong_size_is_refused(path: Path) -> str:
    with Driver(path) as driver:
        driver.device.set_owner()
        flags = abi.VERSION | abi.NEED_REPLY
        send_message(driver.device.sock, Request.VHOST_USER_SET_VRING_NUM, flags, bytes(4), [])
        return _refused(driver.device.get_features)


def _refused(call: Callable[[], object]) -> str:
    """Whether it is: by an answer, which then stands before the one asked for, or by the end of the connection."""
    try:
        call()
    except OSError as error:
        return "no answer came" if isinstance(error, TimeoutError) else OK
    return "it was accepted"


@rule("Communication")
def _the_next_front_end_is_served(path: Path) -> str:
    for _ in range(2):
        with Driver(path) as driver:
            driver.set_up()
            _sends(driver)
    return OK
