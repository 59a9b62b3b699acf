"""What learners begin with: it compiles at every step, its TODOs are in order, and all steps done is the solution."""

from __future__ import annotations

import ast
import re

import pytest

from tour.classroom.skeleton import cut, skeleton, steps
from tour.errors import UsageError
from tour.i18n import Lang
from tour.lesson.exercise import Exercise, exercises

WRITTEN = [one for one in exercises() if one.kind == "write"]
each = pytest.mark.parametrize("exercise", WRITTEN, ids=lambda one: one.name)
MARKS = re.compile(r"^ *# (step \d+:.*|end)\n", re.M)


@each
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_start_compiles_and_asks_for_what_is_left(exercise: Exercise, lang: Lang) -> None:
    asked = steps(exercise.solution())
    for from_step in range(1, len(asked) + 2):
        text = skeleton(exercise, lang, from_step)
        compile(text, exercise.file, "exec")
        todo = [f"# TODO {n}: {words.get(lang)}" for n, words in enumerate(asked, 1) if n >= from_step]
        assert [line.strip() for line in text.splitlines() if "# TODO" in line] == todo
        assert text.count("raise NotImplementedError") == len(todo)
        assert "# step" not in text and "# end" not in text


@each
def test_all_steps_done_is_the_solution(exercise: Exercise) -> None:
    done = skeleton(exercise, "en", len(steps(exercise.solution())) + 1)
    assert done == MARKS.sub("", exercise.solution())


@each
def test_functions_keep_their_names_and_what_they_take(exercise: Exercise) -> None:
    def heads(source: str) -> list[str]:
        found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
        return [f"{node.name}({ast.unparse(node.args)})" for node in found if node.name in exercise.functions]

    assert heads(skeleton(exercise, "en")) == heads(exercise.solution())


@each
def test_a_step_there_is_not_is_refused(exercise: Exercise) -> None:
    for number in (0, len(steps(exercise.solution())) + 2):
        with pytest.raises(UsageError, match="no step"):
            skeleton(exercise, "en", number)


def test_one_step_left_out() -> None:
    source = "def f():\n    # step 1: do | 做\n    a = 1\n    # end\n    # step 2: more | 再做\n    b = 2\n    # end\n"
    assert cut(source, "zh", 2) == (
        'def f():\n    a = 1\n    # TODO 2: 再做\n    raise NotImplementedError("TODO 2")\n'
    )
