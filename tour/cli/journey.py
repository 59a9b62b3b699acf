"""A learner's way through the course: from place to place, with the progress that is kept on the way."""

from __future__ import annotations

from tour.agent import probes
from tour.agent.diary import Diary
from tour.agent.player import Player
from tour.cli.connect import connector, wanted_device
from tour.cli.options import StartOptions
from tour.i18n import Lang
from tour.lesson.course import FIRST, Place, resume
from tour.lesson.model import load
from tour.lesson.progress import Keeper, Progress, state_dir


class Journey:
    """Makes a player wherever the learner wants to go; what is done in it is kept."""

    def __init__(self, options: StartOptions) -> None:
        self.options = options
        self.keeper = Keeper(state_dir(options.state_dir))
        self._diary = Diary(self.keeper)

    def player(self, place: Place, lang: Lang) -> Player:
        """A player of that lesson, not opened yet. What it falls back to is its notice. Raises TourError."""
        said: list[str] = []
        lesson = load(place.lesson)
        connect = connector(self.options.where, lesson, lang, said.append)
        player = Player(lesson, lang, connect, wanted_device(self.options.where), place.step)
        player.notice = " ".join(said)
        if not self.options.lecture:
            self._diary.follow(player)
        return player

    def progress(self) -> Progress:
        """How far the learner has come."""
        return self.keeper.read()

    def trouble(self, lang: Lang) -> str:
        """What keeps progress from being kept, '' when nothing does."""
        return self.keeper.problem_words(lang)

    def begin(self) -> Place | None:
        """Where one who names no lesson begins: in the first one, or (None) on the map."""
        return Place(FIRST) if not self.progress().lessons and not self.keeper.problem else None

    def resume(self) -> Place:
        """Where to go on."""
        return resume(self.progress())

    def runs_on(self) -> str:
        """What was asked for: lab, ssh, kernel, embedded or replay; '' for what this machine has."""
        where = self.options.where
        return "lab" if where.lab else "ssh" if where.ssh else "" if where.device == "auto" else where.device

    def findings(self) -> list[probes.Finding]:
        """What this machine can do; takes a moment."""
        return probes.probe()

    def close(self) -> None:
        """Wait until all progress is written."""
        self._diary.close()
