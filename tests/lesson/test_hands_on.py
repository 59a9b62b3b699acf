"""Levels of hands-on: every step of every lesson can be named by its own words, and no other step's will do."""

from __future__ import annotations

import pytest

from tour.errors import UsageError
from tour.lesson.course import course
from tour.lesson.hands_on import MOST, chief, judge, level_of, offered, shown_line
from tour.lesson.model import load

READY = [entry.id for entry in course().ready]


@pytest.mark.parametrize("lesson_id", READY)
def test_each_step_is_named_by_its_id_title_and_line(lesson_id: str) -> None:
    lesson = load(lesson_id)
    for index, step in enumerate(lesson.step):
        for said in (step.id, step.name("en"), step.name("zh"), f" {step.line} "):
            assert not said.strip() or judge(lesson, index, said).right, (step.id, said)
        choices = offered(lesson, index, "en")
        assert step.id in [name for name, _ in choices] and len(choices) == min(MOST, len(lesson.step))
        assert choices == sorted(choices, key=lambda pair: pair[1]), "their order tells nothing"


def test_a_later_step_is_told_as_such_and_nonsense_as_wrong() -> None:
    lesson = load("8")
    publish = lesson.step_ids.index("publish")
    assert judge(lesson, publish, "kick").step == "kick"
    assert judge(lesson, publish, "eventfd_write(kick, 1)").step == "kick"
    assert judge(lesson, publish, "avail.idx += 1").right and judge(lesson, publish, "avail.idx = 1").right
    assert judge(lesson, publish, "used.idx = 1").step == "" and not judge(lesson, publish, "used.idx = 1").right
    assert not judge(lesson, publish, "frame").right


def test_what_is_shown_does_not_answer_the_question() -> None:
    lesson = load("8")
    assert lesson.step[3].predict is not None and shown_line(lesson, 3, "en") == "publish"


CHIEFS = {
    "ioctl(7, VHOST_SET_OWNER)": "set_owner",
    "VHOST_NET_SET_BACKEND": "set_backend",
    "set_owner()": "set_owner",
    "avail.ring[slot] = 0": "avail.ring[]",
    "avail.ring[3]=0": "avail.ring[]",
    "open('/dev/vhost-net')": "open",
    "": "",
    "= 3": "",
}


@pytest.mark.parametrize(("line", "wanted"), CHIEFS.items())
def test_chief(line: str, wanted: str) -> None:
    assert chief(line) == wanted


def test_a_level_is_one_of_three() -> None:
    assert level_of("drive") == "drive"
    with pytest.raises(UsageError):
        level_of("fly")
