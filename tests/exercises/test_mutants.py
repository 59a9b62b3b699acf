"""Mutation testing of the checks: a small change to a reference solution has to be noticed, or be explained."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.exercises.mutate import Mutant, mutants
from tests.judge.unjailed import Unjailed
from tour.judge.run import raised, run_check
from tour.judge.talk import Gone, Raised
from tour.lesson.exercise import Exercise, load_exercise, root

SURVIVORS = Path(__file__).parent / "survivors.toml"
"""Changes that no check can notice, each with the reason why the code is right all the same."""
SECONDS = 1.0
SEED = 1
FOLDERS = sorted(path.name for path in root().glob("[0-9][0-9]_*"))


class Place:
    """Where mutants run: a process anew when one of them hangs or ends."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._runner: Unjailed | None = None

    def survives(self, exercise: Exercise, mutant: Mutant) -> bool:
        """Whether every check passes."""
        runner = self._runner = self._runner or self._stack.enter_context(Unjailed())
        try:
            runner.load(exercise.file, mutant.source, SECONDS)
        except Raised as error:
            assert raised(error)
            return False
        except Gone:
            self.close()
            return False
        for check in exercise.check:
            cause = run_check(exercise, check.id, runner, mutant.source, SEED, SECONDS).cause
            if cause is not None:
                if cause.kind in ("timed-out", "ended"):
                    self.close()
                return False
        return True

    def close(self) -> None:
        """End the process."""
        self._stack.close()
        self._runner = None


@pytest.fixture
def place() -> Iterator[Place]:
    found = Place()
    yield found
    found.close()


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.timeout(300)
def test_every_change_is_noticed_or_explained(folder: str, place: Place) -> None:
    exercise = load_exercise(root() / folder)
    explained: dict[str, str] = tomllib.loads(SURVIVORS.read_text()).get(folder, {})
    every = list(mutants(exercise.solution()))
    survived = [mutant.what for mutant in every if place.survives(exercise, mutant)]
    print(f"{folder}: {len(every)} changes, {len(survived)} not noticed")
    assert len(every) >= 4
    assert set(survived) ^ set(explained) == set(), "not noticed, and not explained in survivors.toml (or noticed now)"
    assert all(len(reason) > 20 for reason in explained.values())
