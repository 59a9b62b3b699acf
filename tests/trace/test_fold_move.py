"""Two devices in one stream: what was told of each stands apart, and who serves is what hello says."""

from __future__ import annotations

import pytest

from tour.trace import events as ev
from tour.trace.fold import FoldError, fold_all
from tour.trace.state import State

HELLO = ev.Hello(1, 3, "0", "kernel", "6.1.0", "tap", "18", "2026-01-01T00:00:00Z")


def state_of(*payloads: ev.AnyPayload) -> State:
    return fold_all(ev.Event(seq, seq, "control", "control", data) for seq, data in enumerate(payloads))


def base(num: int) -> ev.Ioctl:
    return ev.Ioctl("VHOST_SET_VRING_BASE", 0, 5, {"index": 1, "num": num}, "", 0)


OWN = ev.Ioctl("VHOST_SET_OWNER", 0, 5, {}, "", 0)
THERE, HERE = ev.Serving(1, "embedded", "python"), ev.Serving(0, "kernel")


def test_the_second_device_begins_blank_and_is_who_serves() -> None:
    state = state_of(HELLO, OWN, base(7), ev.Doorbell(1, "kick", 9), THERE)
    assert not state.owner and state.tx.base is None and state.tx.kick.fd is None
    assert state.hello is not None and not state.hello.looked_at and state.serving == 1


def test_the_first_is_as_it_was_when_it_is_spoken_to_again() -> None:
    told = (HELLO, OWN, base(7), ev.Worker("vhost-1", 5, "kthread", "S"), ev.Doorbell(1, "kick", 9))
    before, after = state_of(*told), state_of(*told, THERE, OWN, base(3), HERE)
    assert after.owner and after.rings == before.rings and after.worker == before.worker
    assert after.hello == before.hello and set(after.apart) == {1}


def test_the_rings_themselves_are_the_guests_and_stay() -> None:
    place = ev.RingPlace(1, 8, 0x1000, 0x1080, 0x10A0)
    idx = ev.Store(1, "avail.idx", 0x1082, "0000", "0100", [0], [1])
    state = state_of(HELLO, place, idx, THERE)
    assert state.tx.num == 8 and state.tx.avail_idx == 1


def test_a_number_out_of_bounds_is_refused() -> None:
    with pytest.raises(FoldError):
        state_of(HELLO, ev.Serving(99, "kernel"))
