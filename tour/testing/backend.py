"""Acceptance: what may be a backend socket, and what must be right before a ring starts."""

from __future__ import annotations

import mmap
import os
import socket
from collections.abc import Callable
from dataclasses import replace

from tour.abi import native
from tour.device.contract import RX, TX
from tour.testing.bench import KERNEL_ADDRESS, UNMAPPED, Bench
from tour.testing.case import Suite, outcome

SUITE = Suite("acceptance")
ETH_P_ALL = 3

_BACKENDS: dict[str, Callable[[Bench], int]] = {
    "a tap": lambda b: b.tap().fd,
    "a tap without vnet header": lambda b: b.tap(header=False).fd,
    "a tap that is down": lambda b: b.tap(up=False).fd,
    "a tun of layer 3": lambda b: b.tap(layer3=True).fd,
    "a tun that was never attached": lambda b: b.keep(os.open("/dev/net/tun", os.O_RDWR)),
    "a raw packet socket": lambda b: b.socket(socket.AF_PACKET, socket.SOCK_RAW, ETH_P_ALL),
    "a cooked packet socket": lambda b: b.socket(socket.AF_PACKET, socket.SOCK_DGRAM, ETH_P_ALL),
    "a raw ip socket": lambda b: b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "a udp socket": lambda b: b.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "a unix socket": lambda b: b.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    "an eventfd": Bench.eventfd,
    "a file": Bench.null,
    "a closed fd": Bench.closed,
    "minus 1": lambda b: -1,
    "minus 2": lambda b: -2,
}


def _attach(make: Callable[[Bench], int], index: int) -> Callable[[Bench], str]:
    return lambda bench: outcome(bench.ready(index).net_set_backend, index, make(bench))


for _name, _make in _BACKENDS.items():
    SUITE.add(f"net_set_backend TX {_name}", _attach(_make, TX))
    SUITE.add(f"net_set_backend RX {_name}", _attach(_make, RX))


def _without(make: Callable[[Bench], int]) -> Callable[[Bench], str]:
    return lambda bench: outcome(bench.owned().net_set_backend, TX, make(bench))


for _name in ("a tap", "a closed fd", "minus 1"):
    SUITE.add(f"net_set_backend without a memory table {_name}", _without(_BACKENDS[_name]))


def _without_addresses(make: Callable[[Bench], int]) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        device = bench.owned()
        device.set_mem_table(bench.table)
        return outcome(device.net_set_backend, TX, make(bench))

    return run


for _name in ("a tap", "a closed fd", "minus 1"):
    SUITE.add(f"net_set_backend without ring addresses {_name}", _without_addresses(_BACKENDS[_name]))


def _ring_at(part: str, hva: int) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        device = bench.ready()
        device.set_vring_addr(TX, replace(bench.addresses(TX), **{part: hva}))
        return outcome(device.net_set_backend, TX, bench.tap().fd)

    return run


for _part in ("desc", "avail", "used"):
    SUITE.add(f"net_set_backend with {_part} unmapped", _ring_at(_part, UNMAPPED))
    SUITE.add(f"net_set_backend with {_part} in the kernel", _ring_at(_part, KERNEL_ADDRESS))
    SUITE.add(f"net_set_backend with {_part} over the top", _ring_at(_part, (1 << 64) - 64))


@SUITE.case
def _net_set_backend_with_used_read_only(bench: Bench) -> str:
    fd = os.memfd_create("read-only")
    try:
        os.ftruncate(fd, 4096)
        pages = mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        hva = native.address_of(pages)
        with mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ) as sealed:
            assert hva != 0
            return _attach_at(bench, native.address_of(sealed))
    finally:
        os.close(fd)


def _attach_at(bench: Bench, used: int) -> str:
    device = bench.ready()
    device.set_vring_addr(TX, replace(bench.addresses(TX), used=used))
    return outcome(device.net_set_backend, TX, bench.tap().fd)


@SUITE.case
def _net_set_backend_same_tap_twice(bench: Bench) -> list[str]:
    device, tap = bench.ready(), bench.tap()
    return [outcome(device.net_set_backend, TX, tap.fd) for _ in range(2)]


@SUITE.case
def _net_set_backend_another_tap_while_running(bench: Bench) -> str:
    return outcome(bench.running().net_set_backend, TX, bench.tap().fd)


@SUITE.case
def _net_set_backend_bad_fd_while_running_keeps_the_old_one(bench: Bench) -> list[str]:
    device = bench.running()
    return [outcome(device.net_set_backend, TX, bench.eventfd()), outcome(device.set_vring_num, TX, 8)]


@SUITE.case
def _net_set_backend_refused_leaves_the_ring_stopped(bench: Bench) -> list[str]:
    device = bench.ready()
    return [outcome(device.net_set_backend, TX, bench.eventfd()), outcome(device.set_vring_num, TX, 8)]


@SUITE.case
def _net_set_backend_minus_1_twice(bench: Bench) -> list[str]:
    device = bench.running()
    return [outcome(device.net_set_backend, TX, -1) for _ in range(2)]


@SUITE.case
def _one_tap_for_both_rings(bench: Bench) -> list[str]:
    device, tap = bench.ready(TX), bench.tap()
    device.set_vring_num(RX, 8)
    device.set_vring_addr(RX, bench.addresses(RX))
    return [outcome(device.net_set_backend, index, tap.fd) for index in (RX, TX)]


@SUITE.case
def _stop_gives_the_base(bench: Bench) -> list[str]:
    device = bench.running()
    return [outcome(device.stop, TX), outcome(device.set_vring_base, TX, 9), outcome(device.get_vring_base, TX)]
