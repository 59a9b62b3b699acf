"""The front end against back-ends that answer wrongly, or not at all."""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.device.vhost_user.conftest import Driver, Serve
from tour.abi import vhost_user as abi
from tour.device.contract import TX
from tour.device.vhost_user.front_end import VhostUserDevice
from tour.errors import CapabilityMissing, NotOffered
from tour.trace import events as ev
from tour.trace.recorder import Recorder


def reply(request: int, payload: bytes, flags: int = abi.VERSION | abi.REPLY, size: int | None = None) -> bytes:
    return struct.pack("=III", request, flags, len(payload) if size is None else size) + payload


WORD = struct.pack("=Q", 1 << 32)
WRONG = {
    "another message": (reply(15, WORD), errno.EPROTO),
    "no reply flag": (reply(1, WORD, flags=1), errno.EPROTO),
    "4 GiB": (reply(1, WORD, size=0xFFFFFFFF), errno.EPROTO),
    "4 bytes": (reply(1, bytes(4)), errno.EPROTO),
    "half a header": (reply(1, WORD)[:5], errno.ECONNRESET),
    "nothing": (b"", errno.ECONNRESET),
}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        yield ours, theirs


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_answer_is_an_error(pair: tuple[socket.socket, socket.socket], what: str) -> None:
    ours, theirs = pair
    data, code = WRONG[what]

    def answer() -> None:
        theirs.recv(100)
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(OSError, match="back-end") as caught:
        VhostUserDevice("", sock=ours)
    thread.join()
    assert caught.value.errno == code


def test_a_back_end_without_protocol_features(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(reply(1, WORD) * 2)
    device = VhostUserDevice("", sock=ours)
    assert device.protocol == 0
    device.set_vring_enable(0, True)
    assert device.get_features() == 1 << 32
    with pytest.raises(NotOffered):
        device.queue_num()
    assert theirs.recv(100) == struct.pack("=III", 1, 1, 0) * 2, "no message that such a back-end does not know"


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(CapabilityMissing, match="Nobody listens"):
        VhostUserDevice(str(tmp_path / "none"))


def test_a_ring_needs_its_kick_descriptor_and_has_no_backend_socket(serve: Serve) -> None:
    with Driver(serve().path) as driver:
        driver.begin()
        with pytest.raises(OSError, match="no kick") as caught:
            driver.device.start(TX)
        assert caught.value.errno == errno.EINVAL
        with pytest.raises(OSError, match="backend socket") as caught:
            driver.device.net_set_backend(TX, driver.bells[TX]["kick"])
        assert caught.value.errno == errno.EOPNOTSUPP


def test_every_message_has_its_event(serve: Serve) -> None:
    told: list[ev.Event] = []
    device = VhostUserDevice(str(serve().path), Recorder(told.append))
    bell = os.eventfd(0)
    device.set_owner()
    device.set_vring_call(TX, bell)
    device.set_vring_enable(TX, True)
    device.close()
    os.close(bell)
    names = [event.data.name for event in told if isinstance(event.data, ev.Ioctl | ev.Message)]
    assert names == [
        "VHOST_USER_GET_PROTOCOL_FEATURES",
        "VHOST_USER_SET_PROTOCOL_FEATURES",
        "VHOST_SET_OWNER",
        "VHOST_SET_VRING_CALL",
        "VHOST_USER_SET_VRING_ENABLE",
    ]
