"""One prediction: choices, tries, and the answer computed from what really happened."""

from __future__ import annotations

from tour.lesson.model import Choice, Predict
from tour.trace import paths
from tour.trace.state import State

MAX_TRIES = 3


class Prediction:
    """A question of a step. A wrong choice is struck out; after two retries, or when one choice is left, the
    right one is revealed. ``right`` is empty when not exactly one choice came true: then nothing is claimed."""

    def __init__(self, spec: Predict) -> None:
        self.spec = spec
        self.taken: list[str] = []
        self.right = ""
        self.settled = False

    @property
    def first_time(self) -> bool:
        """Whether the first choice was the right one."""
        return self.settled and self.taken[:1] == [self.right]

    def choose(self, choice_id: str) -> bool:
        """Take a choice; False when there is no such choice or it is struck out already."""
        if self.settled or choice_id in self.taken or all(choice.id != choice_id for choice in self.spec.choice):
            return False
        self.taken.append(choice_id)
        return True

    def settle(self, before: State, after: State) -> bool:
        """Hold the last choice against what happened; True when the question is over."""
        self.right = right_choice(self.spec.choice, before, after)
        out = len(self.taken) >= min(MAX_TRIES, len(self.spec.choice) - 1)
        self.settled = not self.right or not self.taken or self.taken[-1] == self.right or out
        return self.settled


def right_choice(choices: list[Choice], before: State, after: State) -> str:
    """Id of the one choice whose predicates all hold of the two states, '' when not exactly one does."""
    true = [choice.id for choice in choices if all(paths.holds(expr, before, after) for expr in choice.when)]
    return true[0] if len(true) == 1 else ""
