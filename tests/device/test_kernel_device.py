"""The kernel device's own part: opening, and the ioctls it makes (the answers are the contract suite's matter)."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from tour.abi.names import VhostIoctl
from tour.device.contract import TX, RingAddresses
from tour.device.kernel import KernelDevice, open_vhost
from tour.errors import CapabilityMissing
from tour.memory.table import MemoryTable, Region
from tour.trace.events import Event, Ioctl, Syscall
from tour.trace.recorder import Recorder


def test_a_missing_module_is_said_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(CapabilityMissing) as caught:
        open_vhost(str(tmp_path / "vhost-net"))
    assert caught.value.name == "kernel"
    assert caught.value.fix == "sudo modprobe vhost_net"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "usermod -aG kvm"),
        (errno.EPERM, "--device /dev/vhost-net"),
        (errno.ENODEV, "modprobe"),
        (errno.EMFILE, ""),
    ],
)
def test_each_refusal_has_its_own_fix(code: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CapabilityMissing) as caught:
        open_vhost()
    assert words in caught.value.fix
    assert caught.value.why


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A KernelDevice on /dev/null whose ioctls are written down and not made."""
    made: list[tuple[int, bytes]] = []

    def ioctl(fd: int, request: int, buffer: bytearray | None = None, mutate: bool = False) -> int:
        made.append((request, bytes(buffer or b"")))
        if request == VhostIoctl.VHOST_GET_VRING_BASE and buffer:
            buffer[4:8] = (77).to_bytes(4, "little")
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    events: list[Event] = []
    with KernelDevice(Recorder(events.append), "/dev/null") as device:
        device.made, device.events = made, events  # type: ignore[attr-defined]
        yield device


def test_what_is_passed_is_what_is_told(device: Any) -> None:
    device.set_features(1 << 32)
    device.set_mem_table(MemoryTable([Region(0x1000, 0x2000, 0x7F0000000000)]))
    device.set_vring_num(TX, 8)
    device.set_vring_base(TX, 5)
    device.set_vring_addr(TX, RingAddresses(16, 32, 64))
    device.set_vring_kick(TX, 9)
    device.set_vring_call(TX, 10)
    device.set_vring_err(TX, 11)
    device.set_log_fd(12)
    device.net_set_backend(TX, 13)
    told = [event.data for event in device.events if isinstance(event.data, Ioctl)]
    assert [(ioctl.request, bytes.fromhex(ioctl.arg_hex)) for ioctl in told] == device.made
    assert len(told) == 10


def test_stop_detaches_and_then_reads_the_base(device: Any) -> None:
    assert device.stop(TX) == 77
    requests = [request for request, _ in device.made]
    assert requests == [VhostIoctl.VHOST_NET_SET_BACKEND, VhostIoctl.VHOST_GET_VRING_BASE]


def test_opening_is_told(device: Any) -> None:
    first = device.events[0].data
    assert isinstance(first, Syscall)
    assert (first.name, first.result, first.args[1]) == ("openat", device.fd, '"/dev/null"')


def test_close_may_be_called_twice_and_the_fd_is_gone(device: Any) -> None:
    fd = device.fd
    device.close()
    device.close()
    assert device.fd == -1
    with pytest.raises(OSError):
        os.fstat(fd)
