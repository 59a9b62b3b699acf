"""Fold, the control plane: what vhost was told, apart from what there is; and what a refusal leaves as it was."""

from __future__ import annotations

import pytest

from tests.trace.recordings import events
from tour.trace import events as ev
from tour.trace import paths
from tour.trace.fold import FoldError, fold, fold_all
from tour.trace.state import Called, Mapped, State, WorkerState

TX = 1


def after(*payloads: ev.AnyPayload) -> State:
    return fold_all(events(*payloads, actor="control"))


def ioctl(name: str, arg: dict[str, object], errno: str | None = None, **out: object) -> ev.Ioctl:
    return ev.Ioctl(name, 1, 7, arg, "", -1 if errno else 0, errno, dict(out))


def told(name: str, fd: int, errno: str | None = None) -> ev.Ioctl:
    return ioctl(f"VHOST_SET_VRING_{name}", {"index": TX, "fd": fd}, errno)


LOW = {"gpa": 0, "size": 0x20000, "hva": 0x7F0000000000}
OPENAT = ev.Syscall("openat", ["AT_FDCWD", '"/dev/vhost-net"', "O_RDWR|O_CLOEXEC"], 7)


@pytest.mark.parametrize(
    ("payload", "fd"),
    [
        (OPENAT, 7),
        (ev.Syscall("open", ["/dev/vhost-net", "O_RDWR|O_CLOEXEC"], 6), 6),
        (ev.Opened("embedded"), -1),
        (ev.Syscall("openat", ["AT_FDCWD", '"/dev/vhost-net"', "O_RDWR"], -1, "EACCES"), None),
        (ev.Syscall("open", ['"/dev/net/tun"', "O_RDWR"], 5), None),
        (ev.Syscall("ioctl", ["5", "TUNSETIFF", "/dev/vhost-net"], 0), None),
    ],
)
def test_the_device_is_open_when_its_file_was_or_when_ours_was_made(payload: ev.AnyPayload, fd: int | None) -> None:
    state = after(payload)
    assert state.device_fd == fd and paths.read(state, "opened") == int(fd is not None)


@pytest.mark.parametrize(
    ("opened", "closed"), [(OPENAT, ev.Syscall("close", ["7"], 0)), (ev.Opened("embedded"), ev.Closed("embedded"))]
)
def test_closing_the_device_leaves_nothing_of_it(opened: ev.AnyPayload, closed: ev.AnyPayload) -> None:
    owned = after(opened, ioctl("VHOST_SET_OWNER", {}), ev.Worker("vhost-66", 90, "kthread", "S"), told("KICK", 9))
    assert [paths.read(owned, path) for path in ("opened", "owner", "worker")] == [1, 1, 1]
    other = fold(owned, events(ev.Syscall("close", ["8"], 0))[0])
    assert paths.read(other, "opened") == 1
    gone = fold(owned, events(closed)[0])
    assert [paths.read(gone, path) for path in ("opened", "owner", "worker", "tx.kick.given")] == [0, 0, 0, None]
    assert paths.read(fold(gone, events(ev.Worker("vhost-66", 90, "kthread", "X"))[0]), "worker") == 0


def test_an_owned_device_whose_worker_proc_does_not_show_has_a_hidden_one() -> None:
    nothing_new = ev.Threads([ev.Looked("/proc", 9, 9), ev.Looked("/proc/self/task", 3, 3)])
    opened = after(OPENAT, nothing_new)
    assert paths.read(opened, "worker") == 0
    owned = after(OPENAT, ioctl("VHOST_SET_OWNER", {}), nothing_new)
    assert [paths.read(owned, path) for path in ("worker", "worker.form", "threads")] == [1, "hidden", 0]


def test_a_bell_that_was_made_is_not_yet_known_to_vhost() -> None:
    made = after(ev.Doorbell(TX, "kick", 9))
    assert (paths.read(made, "tx.kick.fd"), paths.read(made, "tx.kick.given")) == (9, None)
    refused = fold(made, events(told("KICK", 9, "EBADF"))[0])
    assert paths.read(refused, "tx.kick.given") is None and not refused.changed
    given = fold(made, events(told("KICK", 9))[0])
    assert paths.read(given, "tx.kick.given") == 9 and given.changed == {"tx.kick.given"}
    assert paths.read(fold(given, events(told("KICK", -1))[0]), "tx.kick.given") is None


def test_ringing_and_counting_leave_what_vhost_was_told() -> None:
    state = after(
        ev.Doorbell(TX, "kick", 9), told("KICK", 9), told("CALL", 10), ev.Kick(TX, 9, 1), ev.Call(TX, 10, 1),
        ev.Drain(TX, 10, 1), ev.Count(TX, "kick", 9, 2), ev.Doorbell(TX, "kick", 19),
    )  # fmt: skip
    assert (state.tx.kick.given, state.tx.call.given, state.tx.kick.fd) == (9, 10, 19)


def test_the_table_told_is_not_the_memory_mapped() -> None:
    mapped = after(ev.Region(0, 0, 0x20000, 0x7F0000000000, 3, 0))
    assert (paths.read(mapped, "mem_table"), paths.read(mapped, "region[0].hva")) == (0, 0x7F0000000000)
    state = fold(mapped, events(ioctl("VHOST_SET_MEM_TABLE", {"regions": [LOW]}))[0])
    assert state.table == (Mapped(0, 0x20000, 0x7F0000000000),) and state.changed == {"mem_table"}
    again = fold(state, events(ioctl("VHOST_SET_MEM_TABLE", {"regions": [LOW, LOW]}, "EFAULT"))[0])
    assert again.table == state.table


def test_a_region_mapped_anew_takes_the_place_of_the_old() -> None:
    state = after(ev.Region(0, 0, 4096, 0x1000, 3, 0), ev.Region(1, 8192, 4096, 0x3000, 4, 0),
                  ev.Region(0, 0, 8192, 0x5000, 3, 0))  # fmt: skip
    assert [region.hva for region in state.regions] == [0x3000, 0x5000]
    assert paths.read(state, "region[0].hva") == 0x5000


def test_the_last_call_of_a_step_refused_ones_too_and_not_those_that_only_look() -> None:
    looked = ev.Event(2, 2, "control", "observer", ioctl("VHOST_GET_VRING_BASE", {"index": 1}, index=1, num=0))
    state = fold(after(told("KICK", 5), told("CALL", 99, "EBADF")), looked)
    assert state.called == Called("VHOST_SET_VRING_CALL", -1, "EBADF")
    assert fold(state, events(ev.Syscall("eventfd2", ["0"], 9))[0]).called == Called("eventfd2", 9, "")
    asked = fold(state, events(ioctl("VHOST_GET_VRING_BASE", {"index": 1}, index=1, num=65535))[0])
    assert (paths.read(asked, "last.num"), paths.read(state, "last.num")) == (65535, None)
    assert fold(state, events(ev.Step("6", "kick", "begin"))[0]).called == Called()
    assert fold(state, events(ev.Step("6", "kick", "end"))[0]).called == state.called


def test_words_of_features_each_by_whom() -> None:
    state = after(
        ioctl("VHOST_GET_FEATURES", {}, features=0x33D008000), ev.Features("device", 1 << 32 | 1 << 5),
        ev.Features("driver", 1 << 32), ioctl("VHOST_SET_FEATURES", {"features": 1 << 32}),
    )  # fmt: skip
    words = [paths.read(state, name) for name in paths.WORDS]
    assert words == [0x33D008000, 1 << 32, 1 << 32 | 1 << 5, 1 << 32]
    assert [paths.read(state, f"{name}.bit[33]") for name in paths.WORDS] == [1, 0, 0, 0]
    assert paths.read(State(), "offered.bit[33]") is None


def test_the_worker_was_found_by_comparison() -> None:
    seen = ev.Threads([ev.Looked("/proc", 70, 71, [ev.Found(90, "vhost-66")]), ev.Looked("/proc/self/task", 3, 3)], 90)
    state = after(seen, ev.Worker("vhost-66", 90, "kthread", "S"))
    assert paths.read(State(), "threads") is None and paths.read(state, "threads") == 1
    assert [paths.read(state, f"worker.{name}") for name in ("name", "form", "state")] == ["vhost-66", "kthread", "S"]
    assert paths.read(after(ev.Threads([ev.Looked("/proc", 9, 9)])), "threads") == 0


def test_giving_ownership_up_forgets_all_that_was_told() -> None:
    state = after(
        OPENAT, ioctl("VHOST_SET_OWNER", {}), ev.Worker("vhost-66", 90, "kthread", "S"),
        ioctl("VHOST_SET_FEATURES", {"features": 0}), ioctl("VHOST_SET_MEM_TABLE", {"regions": [LOW]}),
        ioctl("VHOST_SET_VRING_NUM", {"index": 1, "num": 8}), ev.Doorbell(TX, "kick", 9), told("KICK", 9),
        ioctl("VHOST_RESET_OWNER", {}),
    )  # fmt: skip
    assert (state.owner, state.features, state.table, state.worker) == (False, None, None, WorkerState())
    assert (state.tx.vring_num, state.tx.kick.given, state.tx.kick.fd, state.device_fd) == (None, None, 9, 7)


@pytest.mark.parametrize(
    "payload",
    [
        ioctl("VHOST_SET_MEM_TABLE", {"regions": [{}]}), ioctl("VHOST_SET_MEM_TABLE", {"regions": 5}),
        ioctl("VHOST_SET_FEATURES", {"features": 1 << 64}), ioctl("VHOST_GET_FEATURES", {}, features=-1),
        ioctl("VHOST_SET_FEATURES", {}), ioctl("VHOST_SET_VRING_NUM", {"index": 5, "num": 1}),
        told("KICK", "x"), ev.Features("device", -1), ev.Doorbell(TX, "bell", 1),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_no_call_can_be_is_refused(payload: ev.AnyPayload) -> None:
    with pytest.raises(FoldError):
        after(payload)


@pytest.mark.parametrize(
    ("call", "path", "value"),
    [
        (ioctl("VHOST_SET_OWNER", {}), "owner", 1),
        (ioctl("VHOST_SET_FEATURES", {"features": 5}), "features", 5),
        (ioctl("VHOST_SET_VRING_BASE", {"index": 1, "num": 7}), "tx.last_avail_idx", 7),
        (ioctl("VHOST_SET_FEATURES", {"features": 5}, "EOPNOTSUPP"), "features", None),
        (ioctl("VHOST_SET_OWNER", {}, "EBUSY"), "owner", 0),
    ],
)
def test_an_ioctl_that_succeeded_is_known_to_the_device(call: ev.Ioctl, path: str, value: int | None) -> None:
    assert paths.read(after(call), path) == value


def test_all_of_what_vhost_knows() -> None:
    state = after(
        ioctl("VHOST_GET_FEATURES", {}, features=0x33D008000), ioctl("VHOST_SET_MEM_TABLE", {"regions": [LOW, LOW]}),
        ioctl("VHOST_SET_VRING_NUM", {"index": 1, "num": 8}),
        ioctl("VHOST_SET_VRING_ADDR", {"index": 1, "desc": 1, "avail": 2, "used": 3}),
        ioctl("VHOST_NET_SET_BACKEND", {"index": 1, "fd": 8}),
    )  # fmt: skip
    ring = state.tx
    assert (state.offered, state.mem_table, ring.vring_num) == (0x33D008000, 2, 8)
    assert (ring.addr_desc, ring.addr_avail, ring.addr_used, ring.backend) == (1, 2, 3, 8)
    detached = fold(state, events(ioctl("VHOST_NET_SET_BACKEND", {"index": 1, "fd": -1}))[0])
    assert detached.tx.backend is None


def test_what_our_own_table_answered_is_known_until_it_is_asked_again() -> None:
    found = after(ev.Translated(0x40010, 54, 0x7F0000040010))
    assert [paths.read(found, f"translated.{name}") for name in ("hva", "fault")] == [0x7F0000040010, ""]
    refused = fold(found, events(ev.Translated(0x30000, 54, fault="unmapped"))[0])
    assert [paths.read(refused, f"translated.{name}") for name in ("hva", "fault")] == [None, "unmapped"]
    assert paths.read(State(), "translated.hva") is None and refused.log[-1].data == refused.translated
