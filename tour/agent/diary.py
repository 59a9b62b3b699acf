"""What a learner does in a player, kept as progress: written in the background, so that no key waits for a disk."""

from __future__ import annotations

import queue
import threading

from tour.agent.player import Player
from tour.lesson.progress import Answered, Keeper, LessonProgress, now

PATIENCE = 5.0
"""Seconds that leaving waits for the last write."""


class Diary:
    """Follows players, one after the other, for one ``keeper``."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self._due: queue.Queue[bool] = queue.Queue()
        self._writer: threading.Thread | None = None

    def follow(self, player: Player) -> None:
        """From now on keep what is done in ``player``."""
        player.on_step = self._done

    def _done(self, player: Player) -> None:
        """A step has run: forks are tried out, they are no progress in the lesson."""
        if player.vary is not None:
            return
        before = self.keeper.read().lesson(player.lesson.id)
        self.keeper.remember(player.lesson.id, news(player, before))
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="progress", daemon=True)
            self._writer.start()
        self._due.put(True)

    def _write(self) -> None:
        while self._due.get():
            self.keeper.write()

    def close(self) -> None:
        """Wait until all is written."""
        if self._writer is not None:
            self._due.put(False)
            self._writer.join(PATIENCE)
            self._writer = None


def news(player: Player, before: LessonProgress) -> LessonProgress:
    """What the step that has just run adds to ``before``."""
    at, steps, prediction = now(), player.lesson.step_ids, player.prediction
    answers = {}
    if prediction is not None and prediction.taken:
        answers[player.step.id] = Answered(prediction.taken[-1], prediction.right, len(prediction.taken), at)
    whole = set(steps) <= {*before.steps, player.step.id}
    return LessonProgress(
        steps=[player.step.id],
        position=steps[player.index + 1] if player.index + 1 < len(steps) else "",
        at=at,
        completed=at if whole else "",
        predictions=answers,
        ran={_where(player): at},
    )


def _where(player: Player) -> str:
    hello = player.timeline.edge.hello
    replayed = player.session is not None and player.session.kind == "replay"
    return f"{'replay' if replayed else hello.ran_on if hello else '?'} {hello.kernel if hello else '?'}"
