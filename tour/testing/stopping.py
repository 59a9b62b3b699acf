"""Behaviour: stop, go on, change things under a running ring, the dirty log, and other backend sockets."""

from __future__ import annotations

import os
import socket
from typing import Any

from tour.abi.names import Feature
from tour.device.contract import RX, TX
from tour.memory.table import MemoryTable
from tour.testing.bench import FEATURES, Bench
from tour.testing.case import Suite
from tour.testing.guest import HEADER, RX_BUFFER, TX_BUFFER, Guest, frame
from tour.testing.tap import ETHERTYPE

SUITE = Suite("behaviour")
LOGGING = FEATURES | Feature.VHOST_F_LOG_ALL.mask


@SUITE.case
def _stop_returns_the_base_and_stops(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.send(1, 2, 3)
    base, used_idx = guest.device.stop(TX), guest.rings[TX].load_used_idx()
    guest.reaped(TX)
    ended = guest.send(4)
    return {"base": base, "used_idx": used_idx, "ended": ended, "reaped": guest.reaped(TX), "seen": guest.seen(3)}


@SUITE.case
def _what_was_published_while_stopped_is_sent_after_the_start(bench: Bench) -> dict[str, Any]:
    """No kick is needed: the port being writable wakes the worker."""
    guest = Guest(bench)
    guest.device.stop(TX)
    guest.offer(1, 2)
    guest.device.start(TX, guest.tap)
    return {"ended": guest.settle(TX), "seen": guest.seen(2), "reaped": guest.reaped(TX)}


@SUITE.case
def _get_vring_base_stops_nothing(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.send(1)
    base = guest.device.get_vring_base(TX)
    return [base, guest.send(2), guest.seen(2), guest.device.get_vring_base(TX)]


@SUITE.case
def _receive_stops_and_goes_on(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.provide(4)
    guest.arrive(frame(1))
    base = guest.device.stop(RX)
    guest.device.start(RX, guest.tap)
    return [base, guest.arrive(frame(2)), guest.reaped(RX), guest.device.get_vring_base(RX)]


@SUITE.case
def _the_base_is_where_the_device_goes_on(bench: Bench) -> list[Any]:
    """A base moved back by one makes the device take the last entry again."""
    guest = Guest(bench)
    guest.send(1)
    base = guest.device.stop(TX)
    guest.device.set_vring_base(TX, base - 1)
    guest.device.start(TX, guest.tap)
    guest.kick(TX)
    return [base, guest.settle(TX), guest.seen(2), guest.rings[TX].load_used_idx()]


@SUITE.case
def _another_tap_while_running(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.send(1)
    first = guest.seen(1)
    guest.tap = bench.tap()
    guest.tap.far.setblocking(False)
    guest.device.net_set_backend(TX, guest.tap.fd)
    return [first, guest.send(2), guest.seen(1)]


@SUITE.case
def _reset_owner_and_all_over_again(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.send(1)
    guest.device.reset_owner()
    guest.device.set_owner()
    guest.set_up()
    return [guest.send(2), guest.seen(2), guest.reaped(TX)]


@SUITE.case
def _a_memory_table_with_one_more_region_while_running(bench: Bench) -> list[Any]:
    """The second region is told only now: its buffers were beyond reach before."""
    guest = Guest(bench)
    low, high = bench.table.regions
    guest.device.set_mem_table(MemoryTable([low]))
    ended = guest.send(1)
    guest.device.set_mem_table(MemoryTable([low, high]))
    guest.kick(TX)
    return [ended, guest.settle(TX), guest.seen(1), guest.reaped(TX)]


@SUITE.case
def _a_buffer_over_two_adjacent_regions(bench: Bench) -> list[Any]:
    """Next to each other as guest addresses, apart in this process: the device copies in two pieces."""
    guest = Guest(bench)
    low, high = bench.table.regions
    half = bench.region(high.gpa + 0x1000, high.size - 0x1000, high.hva + 0x1000)
    swapped = [low, bench.region(high.gpa, 0x1000, low.hva + 0x10000), half]
    data = HEADER + frame(9, 200)
    bench.memory.write(0x10000 + 0x1000 - 100, data[:100])
    bench.memory.write(high.gpa + 0x1000, data[100:])
    guest.device.set_mem_table(MemoryTable(swapped))
    guest.tx.add(out=[(high.gpa + 0x1000 - 100, len(data))])
    guest.tx.publish()
    guest.kick(TX)
    return [guest.settle(TX), guest.tap.frames(1) == [frame(9, 200)], guest.reaped(TX)]


def _log(guest: Guest, flags: int) -> Any:  # noqa: ANN401 - a LogBitmap
    log = guest.bench.log()
    guest.device.set_log_base(log)
    guest.device.set_features(LOGGING)
    for index in (RX, TX):
        guest.device.set_vring_addr(index, guest.addresses(index, flags))
    log.fetch_and_clear()
    return log


@SUITE.case
def _the_dirty_log_of_a_frame_in(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    log = _log(guest, 1)
    guest.provide(2)
    guest.arrive(frame(1, 1000))
    return [[hex(page) for page in log.fetch_and_clear()], hex(RX_BUFFER), hex(guest.rings[RX].gpa.used)]


@SUITE.case
def _the_dirty_log_of_a_frame_out(bench: Bench) -> list[Any]:
    """Only the used ring is dirtied: the guest's own writes are not vhost's to log."""
    guest = Guest(bench)
    log = _log(guest, 1)
    guest.send(1)
    return [[hex(page) for page in log.fetch_and_clear()], hex(TX_BUFFER), hex(guest.rings[TX].gpa.used)]


@SUITE.case
def _without_the_log_flag_used_rings_are_not_logged(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    log = _log(guest, 0)
    guest.provide(2)
    guest.send(1)
    guest.arrive(frame(1))
    return [hex(page) for page in log.fetch_and_clear()]


@SUITE.case
def _the_log_eventfd_rings(bench: Bench) -> bool:
    guest = Guest(bench)
    _log(guest, 1)
    fd = bench.eventfd()
    guest.device.set_log_fd(fd)
    guest.send(1)
    guest.fds[TX]["log"] = fd
    return guest.count(TX, "log") > 0


@SUITE.case
def _a_raw_packet_socket_with_vhosts_own_header(bench: Bench) -> list[Any]:
    """With VHOST_NET_F_VIRTIO_NET_HDR the frame crosses the socket bare."""
    near = bench.tap()
    guest = Guest(bench, FEATURES | Feature.VHOST_NET_F_VIRTIO_NET_HDR.mask)
    backend = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    try:
        backend.bind((near.name, ETHERTYPE))
        guest.device.net_set_backend(TX, backend.fileno())
        ended = guest.send(5)
        return [ended, guest.reaped(TX), os.read(near.fd, 4096)[12:] == frame(5)]
    finally:
        guest.device.net_set_backend(TX, -1)
        backend.close()
