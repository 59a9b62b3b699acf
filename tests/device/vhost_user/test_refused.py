"""What a hostile or broken front end says: each is refused with its reason, nothing leaks, the next one is served."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.device.vhost_user.conftest import Driver, Raw, Serve, Serving, wait_for
from tour.abi import vhost_user as abi
from tour.abi.vhost_user import Request
from tour.device.contract import RX, TX
from tour.errors import MessageFault
from tour.trace import events as ev

PACKET = bytes(12) + bytes(60)
SIZE = 0x10000


@pytest.fixture
def opened() -> Iterator[Callable[[int], int]]:
    """Files of a size, closed afterwards."""
    with ExitStack() as stack:

        def make(size: int = SIZE) -> int:
            fd = os.memfd_create("guest")
            stack.callback(os.close, fd)
            os.ftruncate(fd, size)
            return fd

        yield make


def table(*rows: tuple[int, int, int, int]) -> bytes:
    return abi.MEMORY.pack(len(rows), 0) + b"".join(abi.REGION.pack(*row) for row in rows)


def faults(serving: Serving) -> list[str]:
    return [message.fault for message in serving.told(ev.Message) if message.result]


def still_serves(serving: Serving) -> None:
    """The next front end sends a packet."""
    with Driver(serving.path) as driver:
        driver.set_up()
        driver.send(PACKET)
        driver.reap(TX, 1)


TOP = (1 << 64) - 0x1000
REGIONS = {
    "none": (table(), 0, MessageFault.REGIONS),
    "nine said": (abi.MEMORY.pack(9, 0) + bytes(32 * 9), 1, MessageFault.REGIONS),
    "more said than told": (abi.MEMORY.pack(2, 0) + bytes(32), 1, MessageFault.SIZE),
    "a row cut off": (table((0, SIZE, 0, 0))[:-1], 1, MessageFault.SIZE),
    "empty": (table((0, 0, 0, 0)), 1, MessageFault.REGION_EMPTY),
    "gpa wraps": (table((TOP, 0x2000, 0, 0)), 1, MessageFault.REGION_WRAPS),
    "user address wraps": (table((0, 0x2000, TOP, 0)), 1, MessageFault.REGION_WRAPS),
    "offset wraps": (table((0, 0x2000, 0, TOP)), 1, MessageFault.REGION_WRAPS),
    "not whole pages": (table((0, 0x1800, 0, 0)), 1, MessageFault.REGION_ALIGN),
    "beyond its file": (table((0, SIZE, 0, 0x1000)), 1, MessageFault.REGION_FILE),
    "far beyond its file": (table((0, 1 << 63, 0, 0)), 1, MessageFault.REGION_FILE),
    "gpa overlaps": (table((0, 0x2000, 0, 0), (0x1000, 0x2000, 0x10000, 0)), 2, MessageFault.REGION_OVERLAP),
    "user addresses overlap": (table((0, 0x2000, 0, 0), (0x4000, 0x2000, 0x1000, 0)), 2, MessageFault.REGION_OVERLAP),
    "too few descriptors": (table((0, SIZE, 0, 0)), 0, MessageFault.FDS),
    "too many descriptors": (table((0, SIZE, 0, 0)), 2, MessageFault.FDS),
}


@pytest.mark.parametrize("what", REGIONS)
def test_a_memory_table_is_refused(serve: Serve, opened: Callable[..., int], what: str) -> None:
    payload, count, fault = REGIONS[what]
    serving = serve()
    with Raw(serving.path) as raw:
        raw.negotiate()
        assert raw.acknowledged(Request.VHOST_USER_SET_MEM_TABLE, payload, [opened() for _ in range(count)]) == 1
        assert faults(serving) == [fault.value]
        fine = table((0, SIZE, 0, 0))
        assert raw.acknowledged(Request.VHOST_USER_SET_MEM_TABLE, fine, [opened()]) == 0
    still_serves(serving)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "read-only file"])
def test_what_is_no_writable_file_is_no_memory(serve: Serve, opened: Callable[..., int], kind: str) -> None:
    serving = serve()
    with ExitStack() as stack, Raw(serving.path) as raw:
        if kind == "pipe":
            fd, other = os.pipe()
            stack.callback(os.close, other)
        elif kind == "read-only file":
            fd = os.open(f"/proc/self/fd/{opened()}", os.O_RDONLY)
        else:
            fd = os.open("/dev/zero" if kind == "device" else "/", os.O_RDONLY)
        stack.callback(os.close, fd)
        raw.negotiate()
        assert raw.acknowledged(Request.VHOST_USER_SET_MEM_TABLE, table((0, SIZE, 0, 0)), [fd]) == 1
        assert faults(serving) == [MessageFault.REGION_MAP.value]


def header(request: int, size: int, flags: int = abi.VERSION) -> bytes:
    return struct.pack("=III", request, flags, size)


BYTES = {
    "version 0": (header(1, 0, flags=0), MessageFault.VERSION),
    "version 2": (header(1, 0, flags=2), MessageFault.VERSION),
    "a reply": (header(1, 0, flags=5), MessageFault.IS_REPLY),
    "a payload of 4 GiB": (header(1, 0xFFFFFFFF), MessageFault.TOO_LONG),
    "a payload of 1025": (header(5, 1025), MessageFault.TOO_LONG),
    "an unknown message": (header(99, 0), MessageFault.UNKNOWN),
    "message 0": (header(0, 0), MessageFault.UNKNOWN),
    "packed rings asked for": (header(2, 8) + struct.pack("=Q", 1 << 34), MessageFault.FEATURES),
    "a payload where none belongs": (header(1, 8) + bytes(8), MessageFault.SIZE),
    "half a number": (header(2, 4) + bytes(4), MessageFault.SIZE),
    "ring 2 of one pair": (header(8, 8) + struct.pack("=II", 2, 8), MessageFault.RING_INDEX),
    "ring 4 thousand million": (header(18, 8) + struct.pack("=II", 0xFFFFFFFF, 1), MessageFault.RING_INDEX),
    "a kick for ring 255": (header(12, 8) + struct.pack("=Q", 255 | 256), MessageFault.RING_INDEX),
    "a kick with odd bits": (header(12, 8) + struct.pack("=Q", 1 << 40), MessageFault.RING_INDEX),
    "a kick without its descriptor": (header(12, 8) + struct.pack("=Q", 0), MessageFault.FDS),
    "a kick that says that none comes": (header(12, 8) + struct.pack("=Q", 256), MessageFault.NO_KICK),
    "addresses without memory": (header(9, 40) + bytes(40), MessageFault.NO_MEMORY),
    "a log without the feature": (header(6, 16) + bytes(16), MessageFault.NOT_NEGOTIATED),
    "a reset without the feature": (header(34, 0), MessageFault.NOT_NEGOTIATED),
    "a ring of 3": (header(8, 8) + struct.pack("=II", 0, 3), MessageFault.DEVICE),
    "a base of 65536": (header(10, 8) + struct.pack("=II", 0, 65536), MessageFault.DEVICE),
}


@pytest.mark.parametrize("what", BYTES)
def test_what_cannot_be_answered_costs_the_connection(serve: Serve, what: str) -> None:
    data, fault = BYTES[what]
    serving = serve()
    with Raw(serving.path) as raw:
        raw.say(Request.VHOST_USER_SET_OWNER)
        raw.sock.sendall(data)
        assert raw.closed()
    wait_for(lambda: "serve.front_end_broken" in serving.notes())
    assert faults(serving) == [fault.value]
    still_serves(serving)


def test_a_wrong_doorbell_is_refused(serve: Serve, opened: Callable[..., int]) -> None:
    serving = serve()
    with Raw(serving.path) as raw:
        raw.negotiate()
        for request in (Request.VHOST_USER_SET_VRING_KICK, Request.VHOST_USER_SET_VRING_CALL):
            assert raw.acknowledged(request, abi.U64.pack(0), [opened()]) == 1
        assert raw.acknowledged(Request.VHOST_USER_SET_VRING_NUM, abi.STATE.pack(0, 8), [opened()]) == 1
    assert faults(serving) == [MessageFault.DEVICE.value] * 2 + [MessageFault.FDS.value]


@pytest.mark.parametrize("count", [9, 100, 250])
def test_more_descriptors_than_a_message_brings(serve: Serve, opened: Callable[..., int], count: int) -> None:
    serving = serve()
    with Raw(serving.path) as raw:
        raw.say(Request.VHOST_USER_SET_MEM_TABLE, table((0, SIZE, 0, 0)), [opened()] * count)
        assert raw.closed()
    assert faults(serving) == [MessageFault.FDS_LOST.value]
    still_serves(serving)


def test_descriptors_sent_byte_by_byte(serve: Serve, opened: Callable[..., int]) -> None:
    serving = serve()
    with Raw(serving.path) as raw:
        for byte in header(1, 0)[:9]:
            socket.send_fds(raw.sock, [bytes([byte])], [opened()])
        assert raw.closed()
    assert faults(serving) == [MessageFault.FDS_LOST.value]


def test_half_a_message_is_waited_for_and_then_not(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tour.device.vhost_user.connection.HALF_SECONDS", 0.2)
    serving = serve()
    with Raw(serving.path) as raw:
        for byte in header(1, 0):
            raw.sock.sendall(bytes([byte]))
        assert len(raw.exactly(20)) == 20
        raw.sock.sendall(header(5, 40)[:7])
        assert raw.closed()
    assert faults(serving) == [MessageFault.HALF.value]
    still_serves(serving)


def test_a_front_end_that_goes_in_the_middle_of_a_message(serve: Serve, opened: Callable[..., int]) -> None:
    serving = serve()
    with Raw(serving.path) as raw:
        socket.send_fds(raw.sock, [header(5, 40)], [opened()])
    wait_for(lambda: "serve.front_end_lost" in serving.notes())
    still_serves(serving)


def test_a_front_end_that_reads_no_replies(serve: Serve) -> None:
    serving = serve()
    with Raw(serving.path) as raw:
        raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

        def flood() -> bool:
            try:
                raw.sock.send(header(1, 0) * 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except OSError:
                return True
            return False

        wait_for(flood)
    assert MessageFault.NO_REPLIES_READ.value in faults(serving)
    still_serves(serving)


def test_ring_parts_outside_memory(serve: Serve) -> None:
    serving = serve()
    with Driver(serving.path) as driver:
        device, table_ = driver.device, driver.memory.table
        device.set_owner()
        device.set_mem_table(table_)
        device.set_vring_num(TX, 8)
        good = driver.addresses(TX)
        end = table_.regions[0].hva + table_.regions[0].size
        for part in ("desc", "avail", "used"):
            for where in (0, end - 16, (1 << 64) - 16):
                bad = type(good)(**{**good.__dict__, part: where})
                with pytest.raises(OSError, match="refused"):
                    device.set_vring_addr(TX, bad)
        device.set_vring_addr(TX, good)
    assert faults(serving) == [MessageFault.RING_ADDRESS.value] * 9


def test_a_running_ring_is_not_resized(serve: Serve, gear: str) -> None:
    serving = serve(gear=gear)
    with Driver(serving.path) as driver:
        driver.set_up()
        for call in (driver.device.set_vring_num, driver.device.set_vring_base):
            with pytest.raises(OSError, match="refused"):
                call(TX, 4)
        driver.send(PACKET)
        driver.reap(TX, 1)
    assert faults(serving) == [MessageFault.RUNNING.value] * 2


def test_a_log_that_is_too_small(serve: Serve, opened: Callable[..., int]) -> None:
    serving = serve()
    with Raw(serving.path) as raw:
        raw.negotiate()
        far = table((1 << 40, SIZE, 0, 0))
        assert raw.acknowledged(Request.VHOST_USER_SET_MEM_TABLE, far, [opened()]) == 0
        raw.say(Request.VHOST_USER_SET_LOG_BASE, abi.LOG.pack(0x1000, 0), [opened()])
        assert raw.closed()
    assert faults(serving) == [MessageFault.LOG_SIZE.value]


@pytest.mark.parametrize("when", ["before it starts", "while it runs"])
def test_a_file_that_shrinks_breaks_the_ring_alone(serve: Serve, gear: str, when: str) -> None:
    serving = serve(gear=gear)
    with Driver(serving.path) as driver:
        if when == "while it runs":
            driver.set_up()
            for index in (RX, TX):
                os.ftruncate(driver.memory.regions[index].fd, 0)
            driver.kick(TX)
        else:
            driver.device.set_owner()
            driver.device.set_mem_table(driver.memory.table)
            for region in driver.memory.regions:
                os.ftruncate(region.fd, 0)
            with pytest.raises(OSError, match="refused"):
                driver.tell(TX, 0)
        wait_for(lambda: serving.told(ev.Broken))
        for region in driver.memory.regions:
            os.ftruncate(region.fd, region.size)
    still_serves(serving)


def test_hundreds_of_connections(serve: Serve) -> None:
    serving = serve()
    with ExitStack() as stack:
        others = [stack.enter_context(Raw(serving.path)) for _ in range(10)]
        for _ in range(200):
            with suppress(BlockingIOError):
                Raw(serving.path).sock.close()
        assert len(others[0].ask(Request.VHOST_USER_GET_FEATURES)) == 8
        assert all(other.closed() for other in others[1:])
    still_serves(serving)


def test_a_doorbell_that_is_full_stops_nobody(serve: Serve, gear: str) -> None:
    serving = serve(gear=gear)
    with Driver(serving.path) as driver:
        full = os.eventfd((1 << 32) - 1, os.EFD_CLOEXEC)
        os.eventfd_write(full, (1 << 64) - (1 << 32) - 1)
        driver.set_up()
        driver.device.set_vring_call(TX, full)
        driver.send(PACKET)
        driver.reap(TX, 1)
        os.close(full)
        driver.send(PACKET)
        driver.reap(TX, 1)


def test_reset_device_and_reset_owner_disable_the_rings(serve: Serve) -> None:
    serving = serve()
    with Driver(serving.path) as driver:
        driver.set_up()
        for request in (Request.VHOST_USER_RESET_OWNER, Request.VHOST_USER_RESET_DEVICE):
            driver.device._say(request)  # noqa: SLF001 - no call of the contract sends these
            driver.send(PACKET)
            assert driver.queues[TX].reap() is None
            base = driver.device.stop(TX)
            driver.tell(TX, base)
            driver.reap(TX, 1)
