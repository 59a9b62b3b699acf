"""Acceptance: who may call what, and in which order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tour.abi.names import Feature, describe
from tour.device.contract import RX, TX, RingAddresses, VhostDevice
from tour.memory.table import MemoryTable
from tour.testing.bench import FEATURES, Bench, FalseLog
from tour.testing.case import Suite, outcome

SUITE = Suite("acceptance")
HUGE_INDEX = 0xFFFF_FFFF
NOWHERE = RingAddresses(0, 0, 0)

_OWNERS_ONLY: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "set_mem_table": (VhostDevice.set_mem_table, (MemoryTable(()),)),
    "set_log_base": (VhostDevice.set_log_base, (FalseLog(0),)),
    "set_log_fd": (VhostDevice.set_log_fd, (-1,)),
    "reset_owner": (VhostDevice.reset_owner, ()),
}
_PER_RING: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "set_vring_num": (VhostDevice.set_vring_num, (8,)),
    "set_vring_base": (VhostDevice.set_vring_base, (0,)),
    "get_vring_base": (VhostDevice.get_vring_base, ()),
    "set_vring_addr": (VhostDevice.set_vring_addr, (NOWHERE,)),
    "set_vring_kick": (VhostDevice.set_vring_kick, (-1,)),
    "set_vring_call": (VhostDevice.set_vring_call, (-1,)),
    "set_vring_err": (VhostDevice.set_vring_err, (-1,)),
    "net_set_backend": (VhostDevice.net_set_backend, (-1,)),
}


def _before_owner(call: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[Bench], str]:
    return lambda bench: outcome(call, bench.device, *args)


def _on_index(call: Callable[..., Any], index: int, args: tuple[Any, ...]) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        bench.device.set_owner()
        return outcome(call, bench.device, index, *args)

    return run


for _name, (_call, _args) in _OWNERS_ONLY.items():
    SUITE.add(f"{_name} before set_owner", _before_owner(_call, _args))
for _name, (_call, _args) in _PER_RING.items():
    SUITE.add(f"{_name} before set_owner", _before_owner(_call, (TX, *_args)))
    SUITE.add(f"{_name} index 2 before set_owner", _before_owner(_call, (2, *_args)))
    SUITE.add(f"{_name} index 2", _on_index(_call, 2, _args))
    SUITE.add(f"{_name} index 4294967295", _on_index(_call, HUGE_INDEX, _args))


@SUITE.case
def _features_offered(bench: Bench) -> list[str]:
    """Offered before set_owner; ACCESS_PLATFORM, which embedded leaves out by design, is not compared."""
    return describe(bench.device.get_features() & ~Feature.VIRTIO_F_ACCESS_PLATFORM.mask)


@SUITE.case
def _set_features_before_set_owner(bench: Bench) -> str:
    return outcome(bench.device.set_features, FEATURES)


def _feature(bit: int) -> Callable[[Bench], str]:
    return lambda bench: outcome(bench.device.set_features, 1 << bit)


for _bit in (Feature.VIRTIO_NET_F_CSUM, Feature.VIRTIO_NET_F_MAC, Feature.VIRTIO_F_RING_PACKED):
    SUITE.add(f"set_features {_bit.name}", _feature(_bit.value))
for _bit in (Feature.VIRTIO_RING_F_EVENT_IDX, Feature.VIRTIO_F_NOTIFY_ON_EMPTY, Feature.VHOST_F_LOG_ALL):
    SUITE.add(f"set_features {_bit.name}", _feature(_bit.value))
SUITE.add("set_features bit 63", _feature(63))
SUITE.add("set_features bit 34 packed ring", _feature(34))


@SUITE.case
def _set_features_zero(bench: Bench) -> str:
    return outcome(bench.device.set_features, 0)


@SUITE.case
def _set_features_twice(bench: Bench) -> list[str]:
    return [outcome(bench.device.set_features, word) for word in (FEATURES, 0)]


@SUITE.case
def _set_features_while_running(bench: Bench) -> str:
    return outcome(bench.running().set_features, FEATURES)


@SUITE.case
def _set_owner(bench: Bench) -> str:
    return outcome(bench.device.set_owner)


@SUITE.case
def _set_owner_twice(bench: Bench) -> list[str]:
    return [outcome(bench.device.set_owner) for _ in range(2)]


@SUITE.case
def _set_owner_by_another_thread(bench: Bench) -> list[str]:
    """The owner is the process: any thread of it may call, and none may become the owner once more."""
    answers: list[str] = []
    caller = threading.Thread(target=lambda: answers.append(outcome(bench.device.set_owner)))
    caller.start()
    caller.join()
    return [*answers, outcome(bench.device.set_vring_num, TX, 8), outcome(bench.device.set_owner)]


@SUITE.case
def _set_features_again_with_more_and_with_fewer(bench: Bench) -> list[str]:
    words = (FEATURES, FEATURES | Feature.VHOST_F_LOG_ALL.mask, FEATURES, 0, Feature.VIRTIO_NET_F_CSUM.mask, FEATURES)
    device = bench.owned()
    return [outcome(device.set_features, word) for word in words]


@SUITE.case
def _reset_owner_then_calls(bench: Bench) -> list[str]:
    device = bench.owned()
    answers = [outcome(device.reset_owner), outcome(device.set_vring_num, TX, 8), outcome(device.reset_owner)]
    return [*answers, outcome(device.set_owner), outcome(device.set_vring_num, TX, 8)]


@SUITE.case
def _reset_owner_forgets_the_base(bench: Bench) -> str:
    device = bench.owned()
    device.set_vring_base(TX, 77)
    device.reset_owner()
    device.set_owner()
    return outcome(device.get_vring_base, TX)


@SUITE.case
def _reset_owner_forgets_the_memory_table(bench: Bench) -> list[str]:
    """What is left is an empty table, not none: the ring addresses are the next thing that is wrong."""
    device = bench.running()
    device.reset_owner()
    device.set_owner()
    return [outcome(device.net_set_backend, TX, -1), outcome(device.net_set_backend, TX, bench.tap().fd)]


@SUITE.case
def _reset_owner_while_running_stops(bench: Bench) -> list[str]:
    device = bench.running()
    answers = [outcome(device.reset_owner), outcome(device.set_owner)]
    return [*answers, outcome(device.set_vring_num, TX, 16), outcome(device.set_vring_base, TX, 5)]


@SUITE.case
def _both_rings_are_apart(bench: Bench) -> list[str]:
    device = bench.owned()
    device.set_vring_base(RX, 3)
    device.set_vring_base(TX, 4)
    return [outcome(device.get_vring_base, RX), outcome(device.get_vring_base, TX)]
