"""Acceptance: sizes, bases, addresses and doorbells of a ring, stopped and running."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tour.device.contract import TX, VhostDevice
from tour.testing.bench import KERNEL_ADDRESS, UNMAPPED, Bench, FalseLog
from tour.testing.case import Suite, outcome

SUITE = Suite("acceptance")


def _num(num: int, *, running: bool) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        device = bench.running() if running else bench.owned()
        return outcome(device.set_vring_num, TX, num)

    return run


def _base(num: int, *, running: bool) -> Callable[[Bench], list[str]]:
    def run(bench: Bench) -> list[str]:
        device = bench.running() if running else bench.owned()
        return [outcome(device.set_vring_base, TX, num), outcome(device.get_vring_base, TX)]

    return run


for _n in (0, 1, 2, 3, 8, 32767, 32768, 65535, 65536, 0x80000000, 0xFFFFFFFF):
    SUITE.add(f"set_vring_num {_n}", _num(_n, running=False))
for _n in (8, 16, 3):
    SUITE.add(f"set_vring_num {_n} while running", _num(_n, running=True))
for _n in (0, 1, 32768, 65535, 65536, 0xFFFFFFFF):
    SUITE.add(f"set_vring_base {_n}", _base(_n, running=False))
for _n in (0, 65536):
    SUITE.add(f"set_vring_base {_n} while running", _base(_n, running=True))


def _moved(part: str, by: int, *, running: bool = False, **more: int) -> Callable[[Bench], str]:
    """set_vring_addr with one address moved by some bytes."""

    def run(bench: Bench) -> str:
        device = bench.running() if running else bench.owned()
        where = bench.addresses(TX)
        where = replace(where, **{part: getattr(where, part) + by}, **more)
        return outcome(device.set_vring_addr, TX, where)

    return run


for _part, _steps in {"desc": (1, 2, 8), "avail": (1, 2), "used": (1, 2, 4), "log_gpa": (1, 2, 4)}.items():
    for _by in _steps:
        SUITE.add(f"set_vring_addr {_part} plus {_by}", _moved(_part, _by))
for _flags in (1, 2, 3, 0x80000000):
    SUITE.add(f"set_vring_addr flags {_flags:#x}", _moved("desc", 0, flags=_flags))
SUITE.add("set_vring_addr bad flags before misalignment", _moved("avail", 1, flags=2))
SUITE.add("set_vring_addr while running", _moved("desc", 0, running=True))
SUITE.add("set_vring_addr misaligned while running", _moved("used", 2, running=True))


def _placed(part: str, hva: int, *, running: bool) -> Callable[[Bench], str]:
    """set_vring_addr with one address somewhere no ring can be."""

    def run(bench: Bench) -> str:
        device = bench.running() if running else bench.owned()
        return outcome(device.set_vring_addr, TX, replace(bench.addresses(TX), **{part: hva}))

    return run


for _part in ("desc", "avail", "used"):
    SUITE.add(f"set_vring_addr {_part} in the kernel", _placed(_part, KERNEL_ADDRESS, running=False))
    SUITE.add(f"set_vring_addr {_part} in the kernel while running", _placed(_part, KERNEL_ADDRESS, running=True))
    SUITE.add(f"set_vring_addr {_part} unmapped while running", _placed(_part, UNMAPPED, running=True))
SUITE.add("set_vring_addr desc at the top of the address space", _placed("desc", (1 << 64) - 16, running=False))
SUITE.add(
    "set_vring_addr desc at the top of the address space while running",
    _placed("desc", (1 << 64) - 16, running=True),
)


@SUITE.case
def _set_vring_addr_log_flag_with_absurd_log_address_while_running(bench: Bench) -> list[str]:
    device = bench.running()
    device.set_log_base(FalseLog(KERNEL_ADDRESS))
    where = replace(bench.addresses(TX), log_gpa=(1 << 64) - 4096, flags=1)
    return [outcome(device.set_vring_addr, TX, where), outcome(device.set_vring_addr, TX, replace(where, flags=0))]


@SUITE.case
def _get_vring_base_of_a_fresh_ring(bench: Bench) -> str:
    return outcome(bench.owned().get_vring_base, TX)


@SUITE.case
def _get_vring_base_while_running(bench: Bench) -> str:
    return outcome(bench.running().get_vring_base, TX)


_DOORBELLS: dict[str, Callable[[VhostDevice, int], None]] = {
    "set_vring_kick": lambda device, fd: device.set_vring_kick(TX, fd),
    "set_vring_call": lambda device, fd: device.set_vring_call(TX, fd),
    "set_vring_err": lambda device, fd: device.set_vring_err(TX, fd),
    "set_log_fd": lambda device, fd: device.set_log_fd(fd),
}
_FDS: dict[str, Callable[[Bench], int]] = {
    "an eventfd": Bench.eventfd,
    "an eventfd that was rung": lambda bench: bench.eventfd(1),
    "minus 1": lambda bench: -1,
    "minus 2": lambda bench: -2,
    "a closed fd": Bench.closed,
    "a pipe": Bench.pipe,
    "a file": Bench.null,
    "a tap": lambda bench: bench.tap().fd,
}


def _doorbell(call: Callable[[VhostDevice, int], None], make: Callable[[Bench], int]) -> Callable[[Bench], str]:
    return lambda bench: outcome(call, bench.owned(), make(bench))


for _name, _call in _DOORBELLS.items():
    for _what, _make in _FDS.items():
        SUITE.add(f"{_name} {_what}", _doorbell(_call, _make))


@SUITE.case
def _doorbells_may_be_set_twice_and_taken_away_while_running(bench: Bench) -> list[str]:
    device = bench.running()
    fd = bench.eventfd()
    calls = (device.set_vring_kick, device.set_vring_call, device.set_vring_err)
    return [outcome(call, TX, value) for call in calls for value in (fd, fd, bench.eventfd(), -1, -1)]
