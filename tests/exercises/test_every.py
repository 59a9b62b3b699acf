"""The graders graded: of every exercise the start fails, the right solutions pass and the wrong ones fail, as said."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tour.classroom.skeleton import skeleton
from tour.i18n import Lang
from tour.judge.run import Run, detect, known
from tour.lesson.course import course
from tour.lesson.exercise import Exercise, Variant, load_exercise, root, variants
from tour.lesson.model import misconceptions

SEEDS = range(1, 7)
FOLDERS = sorted(path.name for path in root().glob("[0-9][0-9]_*"))
STEP = re.compile(r"^ *# step (\d+): (.+) \| (.+)$", re.M)
each = pytest.mark.parametrize("folder", FOLDERS)


@cache
def exercise(folder: str) -> Exercise:
    return load_exercise(root() / folder)


def wrong_ones() -> list[tuple[str, Variant]]:
    return [(folder, one) for folder in FOLDERS for one in variants(exercise(folder), "wrong")]


def first_broken(which: Exercise, source: str, seed: int) -> tuple[str, Run] | None:
    """The first check that this code breaks, in order, those left out that need a broken one."""
    for check in which.check:
        run = known(which, check.id, source, seed)
        if run.cause is not None:
            return check.id, run
    return None


@each
def test_it_is_complete(folder: str) -> None:
    which = exercise(folder)
    assert folder == f"{which.id}_{which.name}"
    assert which.lesson in {entry.id for entry in course().entries}
    ids = [check.id for check in which.check]
    assert len(set(ids)) == len(ids) and any(check.hidden for check in which.check)
    for at, check in enumerate(which.check):
        assert set(check.needs) <= set(ids[:at]), "a check needs earlier ones only"
        assert check.points > 0 and check.title.zh != check.title.en
    for lang in ("en", "zh"):
        assert which.text(lang, "goal") and which.text(lang, "after")
    source = which.solution()
    assert all(f"def {name}(" in source for name in which.functions)
    if which.kind == "mend":
        assert which.path("start.py").is_file()
    else:
        assert [int(number) for number, _, _ in STEP.findall(source)] == list(range(1, len(STEP.findall(source)) + 1))
        assert STEP.findall(source) and source.count("# end") == len(STEP.findall(source))


@each
@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_and_every_other_right_solution_pass(folder: str, seed: int) -> None:
    which = exercise(folder)
    others = variants(which, "alternatives")
    assert others
    for name, source in [("solution", which.solution()), *((one.name, one.source) for one in others)]:
        assert first_broken(which, source, seed) is None, name


@each
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_start_fails(folder: str, lang: Lang) -> None:
    which = exercise(folder)
    found = first_broken(which, skeleton(which, lang), 1)
    assert found is not None and (which.kind == "mend" or found[0] == which.check[0].id)


@each
def test_there_are_enough_wrong_ones_and_each_check_has_one(folder: str) -> None:
    which = exercise(folder)
    wrong = variants(which, "wrong")
    assert len(wrong) >= 5 and {"empty", "hard_coded"} <= {one.name for one in wrong}
    broken = {one.check for one in wrong}
    assert broken >= {check.id for check in which.check if not check.hidden}


@pytest.mark.parametrize(("folder", "wrong"), wrong_ones(), ids=lambda value: getattr(value, "name", value))
def test_a_wrong_one_fails_where_it_says_and_is_known_again(folder: str, wrong: Variant) -> None:
    which = exercise(folder)
    assert not wrong.misconception or wrong.misconception in misconceptions()
    for seed in SEEDS:
        found = first_broken(which, wrong.source, seed)
        assert found is not None and found[0] == wrong.check, (seed, found)
        check, run = found
        named = detect(which, check, run, seed)
        assert named is not None and named.name == wrong.name, seed
