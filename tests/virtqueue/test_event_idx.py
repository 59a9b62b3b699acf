"""need_event against the plain meaning: did the index step over event + 1 on its way?"""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tour.virtqueue.event_idx import WRAP, need_event

WORD = st.integers(0, WRAP - 1)


def walked_past(event: int, old: int, steps: int) -> bool:
    """Brute force: walk from ``old`` and look whether entry ``event`` was finished on the way."""
    return any((old + step) % WRAP == event for step in range(steps))


@given(WORD, st.integers(0, 700), st.integers(-800, 800))
@example(65535, 1, 0)
@example(65535, 0, 0)
@example(0, 1, -1)
def test_equals_walking_the_window(old: int, steps: int, near: int) -> None:
    event = (old + near) % WRAP
    assert need_event(event, (old + steps) % WRAP, old) == walked_past(event, old, steps)


def test_every_event_of_one_window_across_the_wrap() -> None:
    old, new = 65530, 5
    passed = {event for event in range(WRAP) if need_event(event, new, old)}
    assert passed == {*range(65530, 65536), *range(5)}


@given(WORD, WORD)
def test_an_index_that_did_not_move_passes_nothing(event: int, idx: int) -> None:
    assert not need_event(event, idx, idx)
