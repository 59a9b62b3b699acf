"""The first five minutes: a player whose every Enter does a step, one sentence each, without questions or menus."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from tour.agent.player import Player
from tour.agent.session import Item, Session
from tour.errors import TourError
from tour.i18n import Lang, t
from tour.lesson.course import FIRST
from tour.lesson.moment import Moment
from tour.trace.timeline import Timeline
from tour.tui.ports import PlayerLike


class FirstMinutes:
    """Drives the player of lesson 0: Enter runs a step, and what it meant is said when it has run."""

    def __init__(self, player: Player) -> None:
        self.player = player

    @property
    def timeline(self) -> Timeline:
        """All that happened so far."""
        return self.player.timeline

    @property
    def session(self) -> Session | None:
        """The agent, or the recording in its place."""
        return self.player.session

    @property
    def error(self) -> TourError | None:
        """What went wrong, None while all is well."""
        return self.player.error

    def moment(self) -> Moment:
        """The step just done with its sentence, and the next one's as what Enter does."""
        moment = self.player.moment()
        lang = moment.lang
        if self.player.ended:
            after = self.player.lesson.after
            return replace(moment, phase="explain", text=after.get(lang) if after else "")
        if moment.phase != "explain" or self.player.error is not None:
            return moment
        return replace(moment, next_text=t(lang, "tui.first.enter", words=self._following()))

    def _following(self) -> str:
        player = self.player
        steps = player.lesson.step
        if player.index + 1 == len(steps):
            return t(player.lang, "tui.first.whole")
        return player.words(steps[player.index + 1]).orient

    def enter(self) -> None:
        """Do the next step; after the last, end."""
        player = self.player
        if player.phase == "explain" and not player.busy and not player.looking_back:
            player.enter()
            player.enter()
        if not player.ended:
            player.enter()

    def hear(self, item: Item) -> None:
        """One thing the agent said; a step that has run is explained at once."""
        player = self.player
        player.hear(item)
        if player.phase == "observe" and not player.busy and not player.looking_back:
            player.enter()

    def listen(self, on_item: Callable[[Item], None]) -> None:
        """Hear all the agent says."""
        self.player.listen(on_item)

    def answer(self, choice: str) -> None:
        """Nothing is asked here."""

    def back(self) -> None:
        """One visible event back."""
        self.player.back()

    def forward(self) -> None:
        """One visible event forward."""
        self.player.forward()

    def seek(self, position: int) -> None:
        """Look at a position."""
        self.player.seek(position)

    def live(self) -> None:
        """Return to the edge."""
        self.player.live()

    def fork(self, vary: str | None) -> None:
        """Begin anew from here."""
        self.player.fork(vary)

    def restart(self) -> None:
        """A new agent at the present step."""
        self.player.restart()

    def close(self) -> None:
        """End the agent."""
        self.player.close()

    def set_lang(self, lang: Lang) -> None:
        """Change the language."""
        self.player.set_lang(lang)


def staged(player: PlayerLike) -> PlayerLike:
    """The player as its lesson is to be driven."""
    return FirstMinutes(player) if isinstance(player, Player) and player.lesson.id == FIRST else player
