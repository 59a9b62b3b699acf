"""A front end of ours and the server: packets, stop and hand-over, memory that changes, a log, several pairs."""

from __future__ import annotations

import os

import pytest

from tests.device.vhost_user.conftest import BUFFERS, FEATURES, Driver, Raw, Serve, wait_for
from tour.abi.names import Feature
from tour.device.contract import RX, TX
from tour.errors import RingFault
from tour.memory.dirty import LogBitmap
from tour.memory.guest import RegionSpec
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC, arp_request, parse_arp
from tour.trace import events as ev
from tour.trace.fold import fold_all
from tour.virtqueue.ring import Desc

PACKET = bytes(12) + bytes(60)


def test_a_packet_goes_out_and_its_answer_comes_in(serve: Serve, gear: str) -> None:
    serving = serve("socketpair", gear=gear)
    with Driver(serving.path) as driver:
        driver.set_up()
        driver.provide(4)
        heads = driver.send(bytes(12) + arp_request(GUEST_MAC, GUEST_IP, PEER_IP))
        assert driver.reap(TX, 1) == [(heads[0], 0)]
        ((head, length),) = driver.reap(RX, 1)
        data = driver.memory.read(driver.rings[RX].read_desc(head).addr, length)
        assert parse_arp(data[12:]).sha == PEER_MAC
        assert os.eventfd_read(driver.bells[TX]["call"]) >= 1
    wait_for(lambda: "serve.front_end_left" in serving.notes())
    messages = [message.name for message in serving.told(ev.Message)]
    assert messages[0] == "VHOST_USER_GET_FEATURES"
    assert not any(message.result for message in serving.told(ev.Message))
    fold_all(serving.events)


@pytest.mark.parametrize("base", [0, 65534])
def test_get_vring_base_stops_exactly_and_the_ring_goes_on_from_there(serve: Serve, gear: str, base: int) -> None:
    serving = serve(gear=gear)
    with Driver(serving.path, base=base) as driver:
        driver.set_up()
        driver.send(PACKET, PACKET, PACKET)
        driver.reap(TX, 3)
        assert driver.device.stop(TX) == (base + 3) & 0xFFFF
        driver.send(PACKET)
        assert driver.queues[TX].reap() is None
        driver.tell(TX, (base + 3) & 0xFFFF)
        assert len(driver.reap(TX, 1)) == 1
        assert driver.device.stop(TX) == (base + 4) & 0xFFFF


def test_a_disabled_ring_discards_what_is_sent(serve: Serve, gear: str) -> None:
    serving = serve("socketpair", gear=gear)
    with Driver(serving.path) as driver:
        driver.set_up()
        driver.provide(4)
        driver.device.set_vring_enable(TX, False)
        driver.send(bytes(12) + arp_request(GUEST_MAC, GUEST_IP, PEER_IP))
        driver.reap(TX, 1)
        driver.device.set_vring_enable(TX, True)
        driver.send(bytes(12) + arp_request(GUEST_MAC, GUEST_IP, PEER_IP))
        driver.reap(TX, 1)
        driver.reap(RX, 1)
        assert driver.queues[RX].reap() is None, "the request that was discarded was answered"


def test_memory_may_change_while_rings_run(serve: Serve, gear: str) -> None:
    serving = serve(gear=gear)
    with Driver(serving.path) as driver:
        driver.set_up()
        driver.send(PACKET)
        driver.reap(TX, 1)
        more = driver.memory.add(RegionSpec(0x200000, 0x10000))
        driver.device.set_mem_table(driver.memory.table)
        driver.memory.write(more.gpa, PACKET)
        driver.queues[TX].add(out=[(more.gpa, len(PACKET))])
        driver.queues[TX].publish()
        driver.kick(TX)
        driver.reap(TX, 1)
        assert not serving.told(ev.Broken)


def test_a_ring_whose_memory_is_taken_away_is_broken_and_the_other_goes_on(serve: Serve, gear: str) -> None:
    serving = serve(gear=gear)
    with Driver(serving.path) as driver:
        driver.set_up()
        regions = driver.memory.table.regions
        driver.device.set_mem_table(type(driver.memory.table)(regions[1:]))
        assert [broken.queue for broken in serving.told(ev.Broken)] == [RX, TX]
        assert os.eventfd_read(driver.bells[TX]["err"]) == 1
        driver.device.set_mem_table(driver.memory.table)
        driver.tell(TX, 0)
        driver.send(PACKET)
        driver.reap(TX, 1)


def test_pages_that_the_device_writes_are_logged(serve: Serve, gear: str) -> None:
    serving = serve("socketpair", gear=gear)
    fd = os.memfd_create("log")
    os.ftruncate(fd, 4096)
    log = LogBitmap(BUFFERS + 0x80000, fd)
    features = FEATURES | Feature.VHOST_F_LOG_ALL.mask
    try:
        with Driver(serving.path) as driver:
            driver.set_up()
            driver.provide(4)
            driver.device.set_log_base(log)
            driver.device.set_features(features)
            for index in (RX, TX):
                driver.device.set_vring_addr(index, driver.addresses(index, flags=1))
            driver.send(bytes(12) + arp_request(GUEST_MAC, GUEST_IP, PEER_IP))
            driver.reap(TX, 1)
            ((head, _),) = driver.reap(RX, 1)
            buffer = driver.rings[RX].read_desc(head).addr
            used = {ring.gpa.used & ~0xFFF for ring in driver.rings.values()}
            wait_for(lambda: log.test(buffer))
            assert set(log.fetch_and_clear()) == {buffer & ~0xFFF, *used}
            driver.device.set_features(FEATURES)
    finally:
        log.close()
        os.close(fd)


def test_the_next_front_end_is_served_when_the_first_has_left(serve: Serve, gear: str) -> None:
    serving = serve(gear=gear)
    for _ in range(3):
        with Driver(serving.path) as driver:
            driver.set_up()
            driver.send(PACKET, PACKET)
            driver.reap(TX, 2)


def test_once_serves_one(serve: Serve) -> None:
    serving = serve(once=True)
    with Driver(serving.path) as driver:
        driver.set_up()
    serving.thread.join(5)
    assert not serving.thread.is_alive()


def test_a_second_front_end_is_turned_away(serve: Serve) -> None:
    serving = serve()
    with Driver(serving.path) as driver:
        driver.set_up()
        with Raw(serving.path) as second:
            assert second.closed()
        wait_for(lambda: "serve.front_end_refused" in serving.notes())
        driver.send(PACKET)
        driver.reap(TX, 1)


def test_several_pairs_are_rings_of_one_socket(serve: Serve, gear: str) -> None:
    serving = serve(gear=gear, pairs=2)
    with Driver(serving.path) as driver:
        assert driver.device.queue_num() == 2
        assert driver.device.get_features() & Feature.VIRTIO_NET_F_MQ.mask
        driver.set_up()
        driver.device.stop(TX)  # two devices on one ring would take each other's chains
        driver.device.pair = 1
        for _ in range(2):
            driver.tell(TX, driver.rings[TX].load_used_idx())
            driver.send(PACKET)
            driver.reap(TX, 1)
            assert driver.device.stop(TX) == driver.rings[TX].load_used_idx()
    wait_for(lambda: "serve.front_end_left" in serving.notes())
    assert {place.queue for place in serving.told(ev.RingPlace)} == {0, 1, 3}
    fold_all(serving.events)


def test_an_error_of_ours_costs_the_session_not_the_server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    from tour.abi.vhost_user import Request
    from tour.device.vhost_user import handlers

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    serving = serve()
    with monkeypatch.context() as patch:
        patch.setitem(handlers.HANDLERS, Request.VHOST_USER_SET_OWNER, fails)
        with Raw(serving.path) as raw:
            raw.say(Request.VHOST_USER_SET_OWNER)
            assert raw.closed()
    wait_for(lambda: serving.told(ev.Error))
    with Driver(serving.path) as driver:
        driver.set_up()
        driver.send(PACKET)
        driver.reap(TX, 1)


def test_a_driver_that_breaks_a_rule_breaks_its_ring_alone(serve: Serve, gear: str) -> None:
    serving = serve("socketpair", gear=gear)
    with Driver(serving.path) as driver:
        driver.set_up()
        driver.provide(4)
        head = driver.queues[TX].add(out=[(1 << 40, 72)])
        driver.queues[TX].publish()
        driver.kick(TX)
        wait_for(lambda: driver.rang(TX, "err"))
        (broken,) = wait_for(lambda: serving.told(ev.Broken))
        assert (broken.queue, broken.reason) == (TX, RingFault.BAD_ADDRESS.value)
        driver.kick(TX)
        base = driver.device.stop(TX)
        assert base == 0, "the chain was never done"
        driver.rings[TX].write_desc(head, Desc(BUFFERS, 72, 0, 0))
        driver.memory.write(BUFFERS, bytes(12) + arp_request(GUEST_MAC, GUEST_IP, PEER_IP))
        driver.tell(TX, base)
        driver.reap(TX, 1)
        driver.reap(RX, 1)


def test_a_legacy_driver_is_not_served_by_the_responder(serve: Serve) -> None:
    serving = serve("socketpair")
    with Driver(serving.path, features=0) as driver:
        driver.device.set_owner()
        with pytest.raises(OSError, match="refused"):
            driver.device.set_features(0)
    assert [message.errno for message in serving.told(ev.Message) if message.result] == ["EOPNOTSUPP"]
