"""A recording played at once: the moment after each step, for pages and pictures. No thread, no Linux."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tour.agent import protocol
from tour.agent.player import Player
from tour.agent.replay import ReplaySession
from tour.agent.session import Item, OnEnd, OnEvent, OnProgress
from tour.i18n import Lang
from tour.lesson.model import Lesson
from tour.trace import events as ev
from tour.trace.store import Recording


class _AtOnce(ReplaySession):
    """Answers a command before ``send`` returns. Raises UsageError for what was not recorded."""

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        self._on_event = on_event

    def send(self, command: protocol.AnyCommand) -> None:
        for event in self._answer(command):
            self._on_event(event)

    def close(self) -> None:
        return


def played(lesson: Lesson, recording: Recording, lang: Lang) -> Iterator[Player]:
    """The same player after each step that ``recording`` holds, in order: look, then take the next.

    Raises RecordingError or UsageError where the recording and the lesson do not fit.
    """
    held = {event.data.step for event in recording.events if isinstance(event.data, ev.Step)}
    player = Player(lesson, lang, lambda command: _AtOnce(recording), "replay")
    items: deque[Item] = deque()
    player.mailbox.attach(items.append)
    player.open()
    _hear(player, items)
    while not player.ended and player.step.id in held:
        player.act()
        _hear(player, items)
        yield player
        player.next_step()


def _hear(player: Player, items: deque[Item]) -> None:
    while items:
        player.hear(items.popleft())
    if player.error is not None:
        raise player.error
