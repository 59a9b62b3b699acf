"""Canonical transcripts: equal for what must be equal, different for every thing that counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.trace.recordings import reference
from tour.trace import events as ev
from tour.trace.transcript import differences, transcript

RUN = reference().events


def changed(change: Callable[[ev.Event], ev.Event]) -> list[str]:
    return differences(transcript(RUN), transcript(change(event) for event in RUN))


def payload(kind: type, **changes: object) -> Callable[[ev.Event], ev.Event]:
    def change(event: ev.Event) -> ev.Event:
        return replace(event, data=replace(event.data, **changes)) if type(event.data) is kind else event

    return change


def test_what_a_real_run_comes_to() -> None:
    found = transcript(RUN)
    assert found.used["tx"] == ((0, 0),) and [length for _, length in found.used["rx"]] == [54]
    assert [direction for direction, _ in found.frames] == ["out", "in"]
    names = [call.partition("(")[0] for call in found.calls]
    assert names[:2] == ["VHOST_SET_OWNER", "VHOST_GET_FEATURES"] and names[-1] == "VHOST_NET_SET_BACKEND"
    assert "VHOST_SET_VRING_KICK(index 1, fd tx kick) = 0" in found.calls
    assert "VHOST_NET_SET_BACKEND(index 1, fd port) = 0" in found.calls
    assert any("desc gpa 0x1000" in call for call in found.calls if "VRING_ADDR(index 1" in call)
    assert sum(len(data) // 2 for _, data in found.written["rx"]) == 54
    assert found.worker == ("kthread",)
    assert [call for call in found.calls if "returned" in call] == [
        "VHOST_GET_FEATURES() = 0 returned features 13908344832"
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda event: replace(event, t=event.t * 3 + 1, seq=event.seq + 7),
        payload(ev.Worker, tid=1, ticks=99),
        payload(ev.Kick, count=7),
        payload(ev.Count, count=7),
        payload(ev.Hello, kernel="7.3", device="embedded"),
        payload(ev.Snapshot, t_from=0, t_to=1, used_flags=1),
    ],
    ids=["times", "worker", "kicks", "counts", "machine", "flags"],
)
def test_what_may_differ_does_not_count(change: Callable[[ev.Event], ev.Event]) -> None:
    assert changed(change) == []


def test_addresses_and_descriptors_of_the_process_do_not_count() -> None:
    def moved(event: ev.Event) -> ev.Event:
        data, by = event.data, 1 << 40
        if isinstance(data, ev.Region):
            return replace(event, data=replace(data, hva=data.hva + by))
        if isinstance(data, ev.Doorbell):
            return replace(event, data=replace(data, fd=data.fd + 100))
        if not isinstance(data, ev.Ioctl):
            return event
        arg = {key: value + by if key in ("desc", "avail", "used") else value for key, value in data.arg.items()}
        if data.name in ("VHOST_SET_VRING_KICK", "VHOST_SET_VRING_CALL", "VHOST_SET_VRING_ERR"):
            arg["fd"] += 100
        return replace(event, data=replace(data, arg=arg))

    assert changed(moved) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (payload(ev.Packet, frame="00"), "frames"),
        (payload(ev.Packet, direction="in"), "frames"),
        (payload(ev.Snapshot, used=[[0, 3, 54]]), "used"),
        (payload(ev.Snapshot, used=[[0, 0, 55]]), "used"),
        (payload(ev.Ioctl, result=-1, errno="EFAULT"), "calls"),
        (payload(ev.Ioctl, out={"features": 1}), "calls"),
        (payload(ev.Worker, form="thread"), "worker"),
    ],
    ids=["bytes", "direction", "head", "length", "errno", "returned", "worker"],
)
def test_what_must_be_equal_counts(change: Callable[[ev.Event], ev.Event], where: str) -> None:
    assert [line.partition(":")[0] for line in changed(change)] and any(
        line.startswith(where) for line in changed(change)
    )


def test_a_written_byte_counts_and_pieces_that_adjoin_are_one() -> None:
    def spoil(event: ev.Event) -> ev.Event:
        data = event.data
        if isinstance(data, ev.Write) and event.actor == "device":
            return replace(event, data=replace(data, after="77" + data.after[2:]))
        return event

    assert [line.partition(":")[0] for line in changed(spoil)] == ["written"]

    def split(events: tuple[ev.Event, ...]) -> list[ev.Event]:
        pieces = []
        for event in events:
            data = event.data
            if isinstance(data, ev.Write) and event.actor == "device":
                pieces.append(replace(event, data=replace(data, after=data.after[:24])))
                rest = replace(data, gpa=data.gpa + 12, after=data.after[24:])
                pieces.append(replace(event, data=rest))
            else:
                pieces.append(event)
        return pieces

    assert differences(transcript(RUN), transcript(split(RUN))) == []


def test_a_missing_call_is_found() -> None:
    without = [
        event for event in RUN if not (isinstance(event.data, ev.Ioctl) and event.data.name == "VHOST_SET_OWNER")
    ]
    assert differences(transcript(RUN), transcript(without))[0].startswith("calls: entry 0: VHOST_SET_OWNER")


def flipped(at: int) -> list[str]:
    """Differences of lesson 9's run from itself with a byte of the reply changed, on the wire and in memory."""
    run = reference("9").events

    def change(event: ev.Event) -> ev.Event:
        data = event.data
        if isinstance(data, ev.Packet) and data.direction == "in":
            return replace(event, data=replace(data, frame=_flip(data.frame, at)))
        if isinstance(data, ev.Write) and event.actor == "device":
            return replace(event, data=replace(data, after=_flip(data.after, at + 12)))
        return event

    return differences(transcript(run), transcript(change(event) for event in run))


def _flip(text: str, at: int) -> str:
    raw = bytearray.fromhex(text)
    if len(raw) >= 98:
        raw[at] ^= 0xFF
    return raw.hex()


def test_the_number_a_stack_gives_its_packets_is_no_difference_but_a_byte_of_data_is() -> None:
    assert flipped(18) == flipped(24) == []
    assert len(flipped(60)) == 2 and len(flipped(26)) == 2
