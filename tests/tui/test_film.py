"""The queue of motions."""

from __future__ import annotations

from tour.tui.film import LONGEST, WHOLE_SECONDS, Film, Shot
from tour.view.motion import VERB_SECONDS, Travel

KICK = Travel(("driver", "worker"), "+1", "driver")
ENTRY = Travel(("worker", "used"), "[0]", "device")


def test_a_shot_is_seen_whole_and_then_its_moment() -> None:
    film: Film[str] = Film()
    film.add(Shot((KICK,), "after"), 0.0)
    halfway = film.frame(film.seconds / 2)
    assert halfway is not None and halfway.travel is KICK and abs(halfway.progress - 0.5) < 0.01
    assert film.due(film.seconds / 2) is None
    assert film.due(film.seconds) == "after"
    assert not film.running


def test_no_verb_takes_longer_than_the_promise() -> None:
    film: Film[str] = Film()
    film.add(Shot((KICK, ENTRY), "after"), 0.0)
    assert film.seconds <= VERB_SECONDS <= 0.6
    second = film.frame(0.75 * VERB_SECONDS)
    assert second is not None and second.travel is ENTRY
    assert film.due(VERB_SECONDS) == "after"


def test_shots_follow_each_other() -> None:
    film: Film[str] = Film()
    film.add(Shot((KICK,), "one"), 0.0)
    film.add(Shot((ENTRY,), "two"), 0.0)
    assert film.due(film.seconds * 1.5) == "one"
    frame = film.frame(film.seconds * 1.5)
    assert frame is not None and frame.travel is ENTRY
    assert film.due(film.seconds * 2) == "two"


def test_a_key_cuts_to_the_end() -> None:
    film: Film[str] = Film()
    film.add(Shot((KICK,), "one"), 0.0)
    film.add(Shot((ENTRY,), "two"), 0.0)
    assert film.cut() == "two"
    assert not film.running and film.frame(0.1) is None and film.cut() is None


def test_a_burst_is_not_a_minute_of_film() -> None:
    film: Film[int] = Film()
    for number in range(LONGEST + 50):
        film.add(Shot((KICK,), number), 0.0)
    assert film.due(0.0) == 49


def test_many_shots_are_short_ones() -> None:
    film: Film[int] = Film()
    for number in range(LONGEST):
        film.add(Shot((KICK,), number), 0.0)
    now = WHOLE_SECONDS + 0.001
    assert film.due(now) == LONGEST - 1 and not film.running
    film.add(Shot((KICK,), 0), now)
    assert film.seconds == VERB_SECONDS
