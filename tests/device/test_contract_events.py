"""Every call of the contract is one event, errors included, with the bytes the kernel would be passed."""

from __future__ import annotations

import inspect

import pytest

from tests.device.conftest import Stand
from tour.abi.names import VhostIoctl
from tour.device.contract import TX, RingAddresses, VhostDevice
from tour.errors import NotOffered
from tour.trace.events import Ioctl, Threads, Worker

WHERE = RingAddresses(0x1000, 0x2002, 0x3004, log_gpa=0x4000, flags=1)


def test_every_public_call_records_exactly_one_event(stand: Stand) -> None:
    device = stand.device
    log_calls = [
        (device.get_features, ()),
        (device.set_features, (1 << 32,)),
        (device.set_owner, ()),
        (device.set_mem_table, (stand.memory.table,)),
        (device.set_vring_num, (TX, 8)),
        (device.set_vring_base, (TX, 3)),
        (device.get_vring_base, (TX,)),
        (device.set_vring_addr, (TX, WHERE)),
        (device.set_vring_kick, (TX, -1)),
        (device.set_vring_call, (TX, -1)),
        (device.set_vring_err, (TX, -1)),
        (device.set_log_fd, (-1,)),
        (device.net_set_backend, (TX, -1)),
        (device.reset_owner, ()),
    ]
    for call, args in log_calls:
        before = len(stand.of(Ioctl))
        call(*args)  # type: ignore[operator]
        made = stand.of(Ioctl)[before:]
        assert [event.name.lower() for event in made] == [f"vhost_{call.__name__}"]
        assert made[0].request == VhostIoctl[made[0].name]
        assert (made[0].result, made[0].errno) == (0, None)


@pytest.mark.parametrize(
    ("call", "args", "raw"),
    [
        ("set_vring_num", (1, 256), "0100000000010000"),
        ("set_vring_base", (1, 65535), "01000000ffff0000"),
        ("set_vring_kick", (0, -1), "00000000ffffffff"),
        ("net_set_backend", (1, -1), "01000000ffffffff"),
        ("set_features", (1 << 32 | 1 << 15,), "0080000001000000"),
        (
            "set_vring_addr", (1, WHERE),
            "01000000" "01000000" "0010000000000000" "0430000000000000" "0220000000000000" "0040000000000000",
        ),
    ],
)  # fmt: skip
def test_the_bytes_are_the_kernels_struct(stand: Stand, call: str, args: tuple[object, ...], raw: str) -> None:
    with pytest.raises(OSError) if call != "set_features" else pytest.MonkeyPatch.context():
        getattr(stand.device, call)(*args)
    assert stand.of(Ioctl)[-1].arg_hex == raw


def test_an_error_is_told_and_then_raised(stand: Stand) -> None:
    with pytest.raises(PermissionError):
        stand.device.set_vring_num(TX, 8)
    told = stand.of(Ioctl)[-1]
    assert (told.name, told.result, told.errno, told.arg) == (
        "VHOST_SET_VRING_NUM",
        -1,
        "EPERM",
        {"index": 1, "num": 8},
    )


def test_what_comes_back_is_told(stand: Stand) -> None:
    word = stand.device.get_features()
    told = stand.of(Ioctl)[-1]
    assert told.out == {"features": word}
    assert bytes.fromhex(told.out_hex) == word.to_bytes(8, "little")


def test_the_line_is_the_callers(stand: Stand) -> None:
    frame = inspect.currentframe()
    assert frame
    stand.device.set_owner()
    line = frame.f_lineno - 1
    made = next(event for event in stand.events if isinstance(event.data, Ioctl))
    assert made.where == f"device/test_contract_events.py:{line}"
    assert made.code == "stand.device.set_owner()"


def test_the_worker_is_found_by_comparing_and_then_looked_at(stand: Stand) -> None:
    stand.device.set_owner()
    seen, worker = stand.of(Threads)[0], stand.of(Worker)[0]
    task = next(looked for looked in seen.looked if looked.folder == "/proc/self/task")
    assert task.after == task.before + 1 and [one.tid for one in task.new] == [seen.tid]
    assert (worker.tid, worker.name, worker.form) == (seen.tid, task.new[0].name, "ours")


def test_an_owner_refused_finds_no_worker(stand: Stand) -> None:
    stand.device.set_owner()
    with pytest.raises(OSError):
        stand.device.set_owner()
    assert len(stand.of(Threads)) == 1


def test_looking_has_the_observer_as_source(stand: Stand) -> None:
    stand.device.set_owner()
    stand.device.get_vring_base(TX, source="observer")
    assert (stand.events[-1].actor, stand.events[-1].source) == ("control", "observer")


def test_a_call_that_is_not_offered_says_so_and_records_nothing(stand: Stand) -> None:
    before = len(stand.events)
    for call in (stand.device.get_backend_features, lambda: stand.device.set_vring_busyloop_timeout(TX, 5)):
        with pytest.raises(NotOffered):
            call()
    assert len(stand.events) == before


def test_the_contracts_methods_are_the_ioctls_names() -> None:
    names = {name.lower().removeprefix("vhost_") for name in VhostIoctl.__members__}
    core = {name for name in vars(VhostDevice) if name.startswith(("get_", "set_", "net_"))}
    assert core <= names
    assert len(core) == 14


def test_acknowledged_features_are_remembered_only_when_taken(stand: Stand) -> None:
    stand.device.set_features(1 << 32)
    with pytest.raises(OSError):
        stand.device.set_features(1)
    assert stand.device.acknowledged == 1 << 32
