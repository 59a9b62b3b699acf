"""``tour start --plain``: a lesson as a conversation. Lines in, lines out, no cursor movement."""

from __future__ import annotations

from tour.agent.player import Player
from tour.cli.connect import check_port
from tour.cli.drive import Pump, wait_idle
from tour.cli.journey import Journey
from tour.cli.list import print_map
from tour.cli.output import say, tell
from tour.cli.teller import Teller
from tour.errors import UsageError
from tour.i18n import local, t
from tour.lesson import hands_on
from tour.lesson.course import FIRST, Place, course, place, place_name
from tour.lesson.hands_on import Level
from tour.lesson.model import misconceptions


class Left(Exception):
    """The learner typed q, or the input ended; ``place`` is where to go on, None for where the progress says."""

    place: Place | None = None


def walk(journey: Journey, where: Place | None) -> int:
    """From lesson to lesson, line by line, beginning at the map for None; 0 also when left early. Raises TourError."""
    try:
        here = where or choose(journey)
        while True:
            following = visit(journey, here)
            here = Place(following) if following else choose(journey)
    except Left as left:
        there = left.place or journey.resume()
        tell(t(journey.options.lang, "cli.resume", lesson=place_name(there)))
    return 0


def choose(journey: Journey) -> Place:
    """The map, and where to go from it; an empty line is where one was. Raises Left."""
    lang = journey.options.lang
    print_map(journey.progress(), lang)
    there = journey.resume()
    while True:
        line = ask(t(lang, "cli.prompt_map", place=place_name(there)))
        try:
            return place(line) if line else there
        except UsageError as error:
            say(local(lang, f"{error.what} {error.why}"))


def visit(journey: Journey, here: Place) -> str:
    """One lesson from there to its end; returns the lesson to go on with. Raises Left, TourError."""
    player = journey.player(here, journey.options.lang)
    if player.notice:
        say(player.notice)
    try:
        Talk(player, Pump(player), journey.options.level).through()
    except Left as left:
        left.place = Place(here.lesson, player.index) if player.vary is None else None
        raise
    finally:
        player.close()
    return _onwards(player)


def _onwards(player: Player) -> str:
    """Say that the lesson is over; the first leads on by itself, others ask."""
    lang = player.lang
    if player.lesson.after is not None:
        tell(player.lesson.after.get(lang))
    following = course().entry(course().following(player.lesson.id))
    if following is None:
        return ""
    if player.lesson.id != FIRST:
        try:
            ask(t(lang, "cli.prompt_next", id=following.id, title=following.title.get(lang)))
        except Left as left:
            left.place = Place(following.id)
            raise
    return following.id


def ask(prompt: str) -> str:
    """One line of input. Raises Left at its end or for q."""
    try:
        line = input(prompt).strip().lower()
    except EOFError:
        tell()
        raise Left from None
    if line in ("q", "quit"):
        raise Left
    return line


def number_of(line: str, count: int) -> int | None:
    """The number from 1 to ``count`` that was typed, None when it is none."""
    return next((number for number in range(1, count + 1) if line.lstrip("0") == str(number)), None)


class Talk:
    """The conversation about one lesson."""

    def __init__(self, player: Player, pump: Pump, level: Level = "watch") -> None:
        self.player = player
        self.level = level
        self.pump = pump
        self.teller = Teller(player, tell)

    def through(self) -> None:
        """All steps, from the set-up to the last check."""
        self.player.begin()
        say(self.player.busy)
        wait_idle(self.player, self.pump)
        check_port(self.player)
        self.teller.opening()
        while not self.player.ended:
            self._step()
            self.player.next_step()

    def _step(self) -> None:
        player = self.player
        self.teller.step_head(named=self.level == "watch")
        if self.level != "watch":
            self._by_hand()
        if player.step.predict is not None:
            player.enter()
            self._predict()
        if player.phase in ("orient", "predict"):
            self._act()
        self.teller.happened()
        self._verdict()
        self.teller.explain()
        self.teller.checks()
        if player.index + 1 == len(player.lesson.step):
            self._offer_forks()

    def _by_hand(self) -> None:
        """Ask for the action until it is named, has been wrong too often, or is left to the tour by an empty line."""
        player, lang = self.player, self.player.lang
        vary, wrong, right = player.vary.id if player.vary else "", 0, False
        steps = hands_on.offered(player.lesson, player.index, lang, vary) if self.level == "drive" else []
        tell(t(lang, f"hand.{self.level}_words"))
        for number, (_, name) in enumerate(steps, 1):
            tell(f"  {number} {name}")
        while not right and wrong <= hands_on.TRIES and (said := ask(t(lang, "hand.prompt"))):
            number = number_of(said, len(steps)) or 0
            verdict = hands_on.judge(player.lesson, player.index, steps[number - 1][0] if number else said, vary)
            right, wrong = verdict.right, wrong + (not verdict.right)
            if not right:
                later = player.lesson.step_ids.index(verdict.step) + 1 if verdict.step else 0
                words = steps[number - 1][1] if number else said
                tell(t(lang, "hand.later" if later else "hand.wrong", said=words, step=later))
        line = hands_on.shown_line(player.lesson, player.index, lang, vary)
        tell(t(lang, "hand.right" if right else "hand.shown", line=line))

    def _act(self) -> None:
        if self.player.step.predict is None:
            ask(self._prompt("enter"))
        self.player.act()
        wait_idle(self.player, self.pump)

    def _predict(self) -> None:
        """Ask until it is settled, or skipped by an empty line (before the first guess only)."""
        player = self.player
        self.teller.question()
        choices = player.choices()
        while player.prediction is not None and not player.prediction.settled:
            line = ask(self._prompt("choice"))
            if not line and not player.prediction.taken:
                return
            number = number_of(line, len(choices))
            if number is None:
                self.teller.say("no_choice", count=len(choices))
                continue
            player.answer(choices[number - 1])
            wait_idle(player, self.pump)
            if player.prediction is not None and not player.prediction.settled:
                self.teller.say("wrong")
                self.teller.question()

    def _verdict(self) -> None:
        player = self.player
        prediction = player.prediction
        if prediction is None or not prediction.taken:
            self.teller.answer()
            return
        if prediction.taken[-1] == prediction.right:
            self.teller.say("right")
        self.teller.answer()
        for choice in prediction.spec.choice:
            if choice.id in prediction.taken and choice.id != prediction.right and choice.misconception:
                text = misconceptions()[choice.misconception].refutation.get(player.lang)
                self.teller.say("because", text=text)

    def _prompt(self, name: str) -> str:
        return t(self.player.lang, f"cli.prompt_{name}")

    def _offer_forks(self) -> None:
        """At the end: try a fork, which begins again at its step. A recording has none."""
        player = self.player
        forks = player.varies()
        if not forks or (player.session is not None and player.session.kind == "replay"):
            return
        self.teller.say("forks")
        for count, vary in enumerate(forks, 1):
            self.teller.text(f"{count} {vary.title.get(player.lang)}: {vary.text.get(player.lang)}", "  ")
        number = number_of(ask(self._prompt_fork()), len(forks))
        if number is not None:
            player.fork(forks[number - 1].id)
            wait_idle(player, self.pump)
            self._step()

    def _prompt_fork(self) -> str:
        return t(self.player.lang, "cli.fork_prompt")
