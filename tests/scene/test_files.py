"""Descriptors that a learner offers beside the right ones, and the doorbells' counters told."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from tour.device.contract import TX
from tour.scene import files
from tour.scene.choose import Chosen
from tour.scene.nic import Nic, Plan
from tour.trace.events import AnyPayload, Count, Syscall
from tour.trace.recorder import Recorder


@pytest.fixture
def told() -> list[AnyPayload]:
    return []


@pytest.fixture
def nic(told: list[AnyPayload]) -> Iterator[Nic]:
    made = Nic(Recorder(lambda event: told.append(event.data)), Chosen("embedded", None, "none"), Plan())
    yield made
    made.close()


def test_a_pipe_is_its_writing_end_and_goes_with_the_scene(nic: Nic, told: list[AnyPayload]) -> None:
    before = os.listdir("/proc/self/fd")
    fd = files.pipe(nic)
    assert os.write(fd, b"x") == 1
    call = told[-1]
    assert isinstance(call, Syscall) and call.args[0].endswith(f", {fd}]")
    nic.close()
    assert os.listdir("/proc/self/fd") == before


def test_a_closed_descriptor_is_closed(nic: Nic, told: list[AnyPayload]) -> None:
    fd = files.closed(nic)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    assert [call.name for call in told if isinstance(call, Syscall)] == ["eventfd2", "close"]


def test_what_kind_of_socket_a_descriptor_is(nic: Nic, told: list[AnyPayload]) -> None:
    udp = files.udp_socket(nic)
    assert files.socket_type(nic, udp) == "done"
    assert told[-1] == Syscall("getsockopt", [str(udp), "SOL_SOCKET", "SO_TYPE", "[SOCK_DGRAM]"], 0)
    assert socket.socket(fileno=os.dup(udp)).type == socket.SOCK_DGRAM, "it is still open"
    null = os.open("/dev/null", os.O_RDWR)
    assert files.socket_type(nic, null) == "ENOTSOCK"
    assert told[-1] == Syscall("getsockopt", [str(null), "SOL_SOCKET", "SO_TYPE"], -1, "ENOTSOCK")
    os.close(null)
    assert files.socket_type(nic, null) == "EBADF"


def test_counters_are_told_without_being_read(nic: Nic, told: list[AnyPayload]) -> None:
    bells = nic.bells[TX]
    bells.make()
    os.eventfd_write(bells.fds["kick"], 3)
    bells.look()
    counts = {data.doorbell: data.count for data in told if isinstance(data, Count)}
    assert counts == {"kick": 3, "call": 0, "err": 0}
    assert os.eventfd_read(bells.fds["kick"]) == 3
