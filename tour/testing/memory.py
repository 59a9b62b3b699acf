"""Acceptance: memory tables, sane and not, and the dirty log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tour.abi.names import Feature
from tour.device.contract import TX
from tour.memory.table import MemoryTable, Region
from tour.testing.bench import FEATURES, KERNEL_ADDRESS, UNMAPPED, Bench, FalseLog
from tour.testing.case import Suite, outcome

SUITE = Suite("acceptance")
TOP = 1 << 64
LOGGING = FEATURES | Feature.VHOST_F_LOG_ALL.mask


def _many(bench: Bench, count: int) -> list[Region]:
    return [bench.region(i << 20, 4096) for i in range(count)]


_TABLES: dict[str, Callable[[Bench], list[Region]]] = {
    "without a region": lambda b: [],
    "of two regions": lambda b: list(b.table.regions),
    "with a region of size 0": lambda b: [b.region(0x1000, 0)],
    "with a region of size 0 at 0": lambda b: [b.region(0, 0)],
    "of overlapping regions": lambda b: [b.region(0, 0x3000), b.region(0x1000, 0x3000)],
    "of equal regions": lambda b: [b.region(0, 0x3000), b.region(0, 0x3000)],
    "at an unmapped address": lambda b: [b.region(0, 0x3000, UNMAPPED)],
    "at a kernel address": lambda b: [b.region(0, 0x3000, KERNEL_ADDRESS)],
    "running over the top of hva": lambda b: [b.region(0, 0x3000, TOP - 0x1000)],
    "ending at 2^64": lambda b: [b.region(TOP - 0x1000, 0x1000)],
    "running over 2^64": lambda b: [b.region(TOP - 0x1000, 0x1001)],
    "of one byte": lambda b: [b.region(0, 1)],
    "of odd numbers": lambda b: [b.region(7, 13)],
    "of 64 regions": lambda b: _many(b, 64),
    "of 65 regions": lambda b: _many(b, 65),
    "of everything": lambda b: [b.region(0, TOP - 1)],
}


def _table(make: Callable[[Bench], list[Region]], *, running: bool) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        device = bench.running() if running else bench.owned()
        return outcome(device.set_mem_table, MemoryTable(make(bench)))

    return run


for _name, _make in _TABLES.items():
    SUITE.add(f"set_mem_table {_name}", _table(_make, running=False))
    SUITE.add(f"set_mem_table {_name} while running", _table(_make, running=True))


def _attach_with(make: Callable[[Bench], list[Region]]) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        device = bench.ready()
        device.set_mem_table(MemoryTable(make(bench)))
        return outcome(device.net_set_backend, TX, bench.tap().fd)

    return run


for _name in ("without a region", "of overlapping regions", "at an unmapped address", "at a kernel address"):
    SUITE.add(f"net_set_backend on a table {_name}", _attach_with(_TABLES[_name]))
SUITE.add("net_set_backend on a table of everything", _attach_with(_TABLES["of everything"]))


@SUITE.case
def _a_refused_table_leaves_the_old_one(bench: Bench) -> list[str]:
    device = bench.ready()
    refused = outcome(device.set_mem_table, MemoryTable([bench.region(0x1000, 0)]))
    return [refused, outcome(device.net_set_backend, TX, bench.tap().fd)]


_LOGS = {"at 0": 0, "unmapped": UNMAPPED, "in the kernel": KERNEL_ADDRESS, "at the top": TOP - 8}


def _log_base(hva: int, features: int, *, running: bool) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        device = bench.running(features=features) if running else bench.owned(features)
        return outcome(device.set_log_base, FalseLog(hva))

    return run


for _name, _hva in _LOGS.items():
    SUITE.add(f"set_log_base {_name}", _log_base(_hva, FEATURES, running=False))
    SUITE.add(f"set_log_base {_name} while running", _log_base(_hva, FEATURES, running=True))
    SUITE.add(f"set_log_base {_name} while running and logging", _log_base(_hva, LOGGING, running=True))


def _log_features(hva: int) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        device = bench.running()
        device.set_log_base(FalseLog(hva))
        return outcome(device.set_features, LOGGING)

    return run


for _name, _hva in _LOGS.items():
    SUITE.add(f"LOG_ALL while running with the log {_name}", _log_features(_hva))


@SUITE.case
def _net_set_backend_with_LOG_ALL_and_the_log_in_the_kernel(bench: Bench) -> str:  # noqa: N802 - a case's name
    device = bench.ready(features=LOGGING)
    device.set_log_base(FalseLog(KERNEL_ADDRESS))
    return outcome(device.net_set_backend, TX, bench.tap().fd)


@SUITE.case
def _net_set_backend_with_the_used_ring_logged_in_the_kernel(bench: Bench) -> str:
    device = bench.ready()
    device.set_log_base(FalseLog(KERNEL_ADDRESS))
    device.set_vring_addr(TX, replace(bench.addresses(TX), flags=1))
    return outcome(device.net_set_backend, TX, bench.tap().fd)
