"""What stands: enough for a newcomer to be where everybody is, and no more."""

from __future__ import annotations

from msgspec.structs import replace

from tests.trace.recordings import HELLO, events
from tests.trace.test_fold_sample import SAMPLE
from tour.trace import events as ev
from tour.trace.fold import fold_all
from tour.trace.standing import MESSAGES_KEPT, Standing

WATCHING = ev.Watching("socket", "/run/s", 7, "qemu", queues=4)


def kept(*payloads: ev.AnyPayload) -> list[ev.AnyPayload]:
    standing = Standing()
    for event in events(*payloads):
        standing(event)
    return [event.data for event in standing.events]


def test_a_newcomer_folds_to_the_same_rings() -> None:
    told = [HELLO, WATCHING, SAMPLE, replace(SAMPLE, queue=3), replace(SAMPLE, avail_idx=9), ev.Broken(2, "x", "y")]
    late, early = fold_all(events(*kept(*told))), fold_all(events(*told))
    assert late.rings == early.rings and late.hello == early.hello
    assert len(kept(*told)) == 5


def test_a_hello_begins_anew() -> None:
    assert kept(HELLO, WATCHING, SAMPLE, HELLO) == [HELLO]


def test_another_front_end_leaves_its_rings_behind() -> None:
    assert kept(HELLO, WATCHING, SAMPLE, ev.Rates(1, 1), replace(WATCHING, pid=0)) == [HELLO, replace(WATCHING, pid=0)]


def test_hours_of_messages_do_not_add_up() -> None:
    message = ev.Message("VHOST_USER_GET_FEATURES", 1, 1, {}, "", 0, 0)
    told = kept(HELLO, *[replace(message, value=n) for n in range(100)])
    assert [data.value for data in told[1:]] == list(range(100 - MESSAGES_KEPT, 100))  # type: ignore[union-attr]


def test_what_passes_is_not_kept() -> None:
    assert kept(HELLO, ev.Packet("out", "port", "00"), ev.Note("x"), ev.Lost(3), ev.Bye()) == [HELLO]
