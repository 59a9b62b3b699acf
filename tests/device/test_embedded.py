"""The embedded device's own promises; what it shares with the kernel is in tests/contract."""

from __future__ import annotations

import os
import threading
import time

import pytest

from tests.device.conftest import BUFFER, FEATURES, Make, Stand, both_gears
from tests.support import wait_until
from tour.abi.names import Feature
from tour.device.contract import RX, TX
from tour.device.embedded import handle_tx as handle_tx_module
from tour.device.embedded.vring import Vring
from tour.trace.events import Action, Broken, Call, Error, Packet, Private, Store, Write
from tour.virtqueue.chain import Chain
from tour.virtqueue.device import DeviceQueue
from tour.virtqueue.ring import Desc


@both_gears
def test_an_arp_request_goes_out_and_its_reply_comes_in(stand: Stand) -> None:
    stand.start()
    stand.provide()
    stand.send()
    stand.used(TX, 1)
    stand.used(RX, 1)
    used = stand.rx.reap()
    assert used is not None
    reply = stand.memory.read(BUFFER + 0x10000, used.len)
    assert reply[10:12] == b"\x01\x00"
    assert reply[12 + 20 : 12 + 22] == b"\x00\x02"


def test_the_way_of_a_packet_is_told_verb_by_verb(stand: Stand) -> None:
    stand.start(TX)
    stand.send()
    stand.used(TX, 1)
    stand.rest()
    assert [action.verb for action in stand.of(Action)] == ["pop", "map", "send", "fill", "flush", "call"]
    assert [packet.direction for packet in stand.of(Packet)] == ["out"]
    assert stand.of(Call)[0].count == 1
    worker = stand.device.worker
    assert worker is not None and worker.form == "ours"


def test_receiving_is_told_verb_by_verb(stand: Stand) -> None:
    stand.start(RX)
    stand.provide(1)
    stand.port._theirs.send(bytes(12) + b"\xff" * 60)
    stand.used(RX, 1)
    stand.rest()
    assert [action.verb for action in stand.of(Action)] == ["pop", "map", "receive", "fill", "flush", "call"]
    assert [(write.what, len(write.after) // 2) for write in stand.of(Write)] == [("net_hdr", 12), ("frame", 60)]


def test_stores_of_the_device_show_memory_before_and_after_and_our_line(stand: Stand) -> None:
    stand.start(TX)
    stand.send()
    stand.used(TX, 1)
    stand.rest()
    stores = [event for event in stand.events if isinstance(event.data, Store)]
    idx = next(event for event in stores if event.data.field == "used.idx")  # type: ignore[union-attr]
    assert (idx.data.old, idx.data.new) == ([0], [1])  # type: ignore[union-attr]
    assert idx.where.startswith("virtqueue/device.py:")
    assert idx.actor == "device"
    assert any(moved.name == "last_avail_idx" for moved in stand.of(Private))


def test_a_baton_is_held_for_a_whole_turn(make: Make) -> None:
    baton = threading.Lock()
    stand = make(baton=baton)
    stand.start(TX)
    with baton:
        stand.send()
        time.sleep(0.05)
        assert stand.rings[TX].load_used_idx() == 0
        before = len(stand.events)
    stand.used(TX, 1)
    stand.rest()
    assert {event.actor for event in stand.events[before:]} == {"device"}


@both_gears
def test_closing_with_the_baton_held_does_not_hang(make: Make) -> None:
    baton = threading.Lock()
    stand = make(baton=baton)
    stand.start(TX)
    with baton:
        stand.send()
        begun = time.monotonic()
        stand.device.close()
        assert time.monotonic() - begun < 2


@both_gears
def test_a_transmit_chain_shorter_than_the_header_does_not_spin(stand: Stand) -> None:
    stand.start(TX)
    stand.send(bytes(5))
    wait_until(lambda: stand.count(TX, "err"), "the err doorbell")
    stand.rest()
    worker = stand.device.worker
    assert worker is not None
    before = worker.look().ticks
    time.sleep(0.2)
    assert worker.look().ticks - before <= 1
    assert stand.count(TX, "err") == 1
    assert stand.of(Broken)[0].reason == "chain is shorter than virtio_net_hdr"


@both_gears
def test_kernel_policy_tries_the_same_head_at_each_kick(stand: Stand) -> None:
    stand.start(TX)
    stand.rings[TX].write_desc(0, Desc(0x30000, 54))
    stand.rings[TX].store_avail_idx(1)
    for n in range(1, 4):
        stand.kick()
        wait_until(lambda n=n: stand.count(TX, "err") == n, f"err number {n}")  # type: ignore[misc]
    assert stand.device.get_vring_base(TX) == 0
    stand.memory.write(BUFFER, bytes(54))
    stand.rings[TX].write_desc(0, Desc(BUFFER, 54))
    stand.kick()
    stand.used(TX, 1)


@both_gears
def test_quarantine_is_dead_until_detached(make: Make) -> None:
    stand = make(on_violation="quarantine")
    stand.start(TX)
    stand.rings[TX].write_desc(0, Desc(0x30000, 54))
    stand.rings[TX].store_avail_idx(1)
    stand.kick()
    wait_until(lambda: stand.count(TX, "err"), "the err doorbell")
    stand.memory.write(BUFFER, bytes(54))
    stand.rings[TX].write_desc(0, Desc(BUFFER, 54))
    stand.kick()
    stand.rest()
    assert stand.rings[TX].load_used_idx() == 0
    assert stand.count(TX, "err") == 1
    assert [(broken.policy, broken.queue) for broken in stand.of(Broken)] == [("quarantine", TX)]
    stand.device.stop(TX)
    stand.device.start(TX, stand.port)
    stand.used(TX, 1)


def test_the_worker_survives_a_defect_and_tells(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> None:
        raise ZeroDivisionError("made by the test")

    stand.start(TX)
    monkeypatch.setattr(handle_tx_module, "_send", defect)
    stand.send()
    wait_until(lambda: stand.of(Error), "the error to be told")
    assert stand.of(Broken)[-1].reason == "ZeroDivisionError: made by the test"
    monkeypatch.undo()
    stand.device.stop(TX)
    stand.device.set_vring_base(TX, 0)
    stand.device.start(TX, stand.port)
    stand.used(TX, 1)


@both_gears
def test_idle_costs_nothing(stand: Stand) -> None:
    stand.start()
    worker = stand.device.worker
    assert worker is not None
    before = worker.look()
    assert before.state == "S"
    time.sleep(0.3)
    assert worker.look().ticks == before.ticks


@both_gears
def test_the_worker_is_named_after_the_owner(stand: Stand) -> None:
    stand.device.set_owner()
    worker = stand.device.worker
    assert worker is not None
    assert worker.name == f"vhost-{threading.get_native_id()}"
    with open(f"/proc/self/task/{worker.tid}/comm") as comm:
        assert comm.read().strip() == worker.name[:15]


@both_gears
def test_closing_leaves_no_descriptor_and_no_thread(make: Make) -> None:
    make().start()
    stand = make()
    before = set(os.listdir("/proc/self/fd"))
    threads = threading.active_count()
    stand.start()
    stand.provide()
    stand.send()
    stand.used(RX, 1)
    stand.device.close()
    stand.device.close()
    assert set(os.listdir("/proc/self/fd")) <= before
    assert threading.active_count() == threads


@both_gears
def test_a_port_whose_far_end_is_gone_does_not_spin(stand: Stand) -> None:
    stand.start()
    stand.provide()
    stand.rest()
    stand.port.close()
    worker = stand.device.worker
    assert worker is not None
    before = worker.look().ticks
    time.sleep(0.2)
    assert worker.look().ticks - before <= 1


@both_gears
def test_doorbells_may_be_closed_by_their_owner(stand: Stand) -> None:
    """The device holds a reference of its own, as the kernel does. The number stays taken: no other thread gets it."""
    stand.start(TX)
    spare, null = os.dup(stand.fds[TX]["kick"]), os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, stand.fds[TX]["kick"])
    os.close(null)
    try:
        stand.memory.write(BUFFER, bytes(54))
        stand.tx.add(out=[(BUFFER, 54)])
        stand.tx.publish()
        os.eventfd_write(spare, 1)
        stand.used(TX, 1)
    finally:
        os.dup2(spare, stand.fds[TX]["kick"])
        os.close(spare)


@both_gears
def test_pipes_are_doorbells_only_where_allowed(make: Make) -> None:
    read, write = os.pipe2(os.O_NONBLOCK)
    try:
        strict = make()
        strict.start(TX)
        with pytest.raises(OSError, match="eventfd"):
            strict.device.set_vring_kick(TX, read)
        stand = make(pipes=True)
        stand.start(TX)
        stand.device.set_vring_kick(TX, read)
        for n in range(1, 4):
            stand.memory.write(BUFFER, bytes(54))
            stand.tx.add(out=[(BUFFER, 54)])
            stand.tx.publish()
            os.write(write, (1).to_bytes(8, "little"))
            stand.used(TX, n)
        stand.rest()
        with pytest.raises(BlockingIOError):
            os.read(read, 1)
    finally:
        os.close(read)
        os.close(write)


@both_gears
def test_a_socketpair_is_taken_by_start_and_not_by_net_set_backend(stand: Stand) -> None:
    stand.start(TX)
    stand.device.stop(TX)
    with pytest.raises(OSError) as caught:
        stand.device.net_set_backend(TX, stand.port._theirs.fileno())
    assert caught.value.errno == 88


@both_gears
def test_a_torrent_of_kicks_from_two_threads_loses_nothing(stand: Stand) -> None:
    stand.start(TX)
    stand.memory.write(BUFFER, bytes(54))
    ending = threading.Event()

    def hammer() -> None:
        while not ending.wait(0.0002):
            stand.kick()

    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        for n in range(1, 1001):
            stand.tx.add(out=[(BUFFER, 54)])
            stand.tx.publish()
            stand.kick()
            stand.used(TX, n)
            assert stand.tx.reap() is not None
    finally:
        ending.set()
        thread.join()
    assert stand.count(TX, "err") == 0


@both_gears
def test_control_may_ask_while_the_worker_works(stand: Stand) -> None:
    stand.start(TX)
    stand.memory.write(BUFFER, bytes(54))
    for n in range(1, 200):
        stand.tx.add(out=[(BUFFER, 54)])
        stand.tx.publish()
        stand.kick()
        assert stand.device.get_vring_base(TX) in (n - 1, n)
        stand.device.set_mem_table(stand.memory.table)
        stand.used(TX, n)
        stand.tx.reap()


@both_gears
def test_event_idx_saves_kicks(stand: Stand) -> None:
    stand.start(TX, features=FEATURES | Feature.VIRTIO_RING_F_EVENT_IDX.mask)
    stand.rest()
    assert stand.rings[TX].load_avail_event() == 0


@both_gears
def test_another_process_is_not_the_owner(stand: Stand) -> None:
    stand.device.set_owner()
    child = os.fork()
    if child == 0:
        try:
            stand.device.set_vring_num(TX, 8)
            os._exit(0)
        except PermissionError:
            os._exit(77)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 77


@both_gears
def test_a_fresh_ring_forgets_everything(stand: Stand) -> None:
    ring = Vring(TX, stand.recorder)
    ring.num, ring.base, ring.features = 8, 9, 1
    ring.reset()
    assert (ring.num, ring.base, ring.features, ring.table) == (1, 0, 0, None)


@both_gears
def test_a_frame_the_port_refuses_is_returned_and_not_told_as_sent(stand: Stand) -> None:
    stand.start(TX)
    stand.port.close()
    stand.send()
    stand.used(TX, 1)
    stand.rest()
    assert stand.of(Packet) == []


@both_gears
def test_eight_times_the_same_half_megabyte_is_not_copied_together(stand: Stand) -> None:
    stand.start(TX)
    for index in range(7):
        stand.rings[TX].write_desc(index, Desc(BUFFER, 0x70000, 1, index + 1))
    stand.rings[TX].write_desc(7, Desc(BUFFER, 0x70000))
    stand.rings[TX].store_avail_idx(1)
    stand.kick()
    stand.used(TX, 1)
    assert stand.of(Packet) == []


def test_a_ring_is_held_once_the_turn_under_way_is_over(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been about to take a chain that is published only after hold returned."""
    inside, go_on = threading.Event(), threading.Event()
    next_chain = handle_tx_module.next_chain

    def slow(queue: DeviceQueue) -> Chain | None:
        inside.set()
        go_on.wait(5)
        return next_chain(queue)

    stand.start(TX)
    monkeypatch.setattr(handle_tx_module, "next_chain", slow)
    stand.send()
    assert inside.wait(5)
    holder = threading.Thread(target=stand.device.hold, args=(TX, True))
    holder.start()
    holder.join(0.2)
    assert holder.is_alive() and not stand.device.status(TX).held
    go_on.set()
    holder.join(5)
    assert stand.device.status(TX).held
