"""The course: what is ready is there, places are found, and one goes on where one was."""

from __future__ import annotations

import pytest

from tour.errors import UsageError
from tour.lesson import course as module
from tour.lesson.course import Place, at_position, course, place, place_name, resume
from tour.lesson.model import folders, load
from tour.lesson.progress import LessonProgress, Progress


def did(*lessons: tuple[str, str, str]) -> Progress:
    """(lesson, position, completed), the last one latest."""
    return Progress({
        one: LessonProgress([], position, f"2026-01-{number:02d}", completed)
        for number, (one, position, completed) in enumerate(lessons, 1)
    })  # fmt: skip


def test_what_is_ready_has_a_folder() -> None:
    assert {entry.id for entry in course().ready} <= set(folders())


def test_titles_and_names_are_those_of_the_lessons() -> None:
    for entry in course().ready:
        lesson = load(entry.id)
        assert (entry.id, entry.slug, entry.title) == (lesson.id, lesson.slug, lesson.title)


def test_ids_count_up() -> None:
    assert [entry.id for entry in course().entries] == [str(number) for number in range(25)]


@pytest.mark.parametrize(
    ("text", "index"), [("8", 0), ("08", 0), ("8:1", 0), ("8:3", 2), ("8:publish", 3), ("08:reap", 6), ("8:7", 6)]
)
def test_a_place_by_number_or_name(text: str, index: int) -> None:
    assert place(text) == Place("8", index)


@pytest.mark.parametrize("text", ["8:0", "8:8", "8:", "8:lunch", "8:-1", "8:²", "8:3:4"])
def test_a_step_that_is_none(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        place(text)
    assert "has no step" in caught.value.what and "publish" in caught.value.why


@pytest.mark.parametrize("text", ["99", "x", "", ":3", "../8", "-8", "8 "])
def test_a_lesson_that_is_none(text: str) -> None:
    if text in ("", ":3"):  # the first five minutes have number 0
        assert place(text).lesson == "0"
        return
    with pytest.raises(UsageError) as caught:
        place(text)
    assert "There is no lesson" in caught.value.what and "8" in caught.value.why


def test_a_planned_lesson_says_so() -> None:
    planned = next(entry for entry in course().entries if not entry.ready)
    with pytest.raises(UsageError) as caught:
        place(f"{planned.id}:2")
    assert "is planned" in caught.value.what and "8" in caught.value.why


def test_a_place_has_one_name() -> None:
    assert place_name(Place("8")) == "8" and place_name(Place("8", 3)) == "8:publish"
    assert place(place_name(Place("8", 3))) == Place("8", 3)


def test_one_goes_on_where_one_was() -> None:
    assert resume(Progress()) == Place("0")
    assert resume(did(("0", "", "yes"))) == Place(course().following("0"))
    assert resume(did(("0", "", "yes"), ("8", "publish", ""))) == Place("8", 3)
    assert resume(did(("8", "publish", ""), ("0", "kick", "yes"))).lesson == "0"


def test_after_a_lesson_comes_the_next_that_is_not_done() -> None:
    ids = [entry.id for entry in course().ready]
    first, second = ids[0], ids[1]
    everything = did(*((one, "", "yes") for one in ids[1:]), (first, "", "yes"))
    assert resume(everything) == Place(first), "all is done: the last one again"
    assert resume(did((second, "", ""), (first, "", "yes"))) == Place(second)


def test_a_position_of_steps_that_are_no_more_is_the_beginning() -> None:
    assert at_position("8", did(("8", "lunch", ""))) == Place("8")
    assert resume(did(("8", "lunch", ""))) == Place("8")
    assert resume(did(("77", "x", ""))) == Place("0"), "a lesson of another version"


def test_the_course_is_read_once() -> None:
    assert course() is module.course()
