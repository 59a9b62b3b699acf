"""What a lesson calls what it measures; an unknown lesson or name goes by its name."""

from __future__ import annotations

import pytest

from tour.lesson import labels
from tour.lesson.model import FigureSpec, Lesson, Text


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = FigureSpec("loop.calls", Text("system calls", "系统调用"), Text("calls", "次"))
    word = {"read": Text("read by the worker", "由工作线程读取")}
    lesson = Lesson("77", "x", Text("x", "x"), 5, [], figure=[figure], word=word)
    monkeypatch.setattr(labels, "_lesson", lambda lesson_id: lesson if lesson_id == "77" else None)


def test_a_figure_has_its_label_and_unit_in_both_languages() -> None:
    assert labels.figure_label("77", "loop.calls", "en") == "system calls"
    assert labels.figure_value("77", "loop.calls", 12345, "en") == "12 345 calls"
    assert labels.figure_value("77", "loop.calls", "@read", "zh") == "由工作线程读取 次"


@pytest.mark.parametrize(("lesson", "name"), [("77", "other"), ("0x", "loop.calls"), ("", "loop.calls")])
def test_what_nobody_names_goes_by_its_name(lesson: str, name: str) -> None:
    assert labels.figure_label(lesson, name, "en") == name
    assert labels.figure_value(lesson, name, 2.5, "en") == "2.5"
    assert labels.word(lesson, "@nothing", "en") == "@nothing"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1 234 567"),
        (2.0, "2"),
        (0.01234, "0.0123"),
        (12.345, "12.3"),
        (54321.9, "54 322"),
        (-3, "-3"),
    ],
)
def test_a_number_is_written_as_a_person_reads_it(value: float, text: str) -> None:
    assert labels.number(value) == text


def test_a_lesson_that_cannot_be_read_has_no_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert labels.figures("no such lesson") == [] and labels.plots("../..") == []
