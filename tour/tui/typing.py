"""A card that one types on: an order of the sandbox, or the line of a step that one does by hand."""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace
from textual import events

from tour.agent.player import Player
from tour.agent.sand_player import SandPlayer, rings_run
from tour.i18n import t
from tour.lesson import hands_on
from tour.lesson.hands_on import Level
from tour.lesson.moment import Moment
from tour.lesson.orders import BY_NAME, FAULTS, completions
from tour.lesson.sandbox import breaks, teach
from tour.tui.card import Card, Option
from tour.tui.options import Options
from tour.tui.ports import PlayerLike
from tour.tui.showing import Showing
from tour.tui.stage import Compose

ORDER, DRIVE, TYPE = "order", "drive", "type"
TYPED = (ORDER, TYPE)
"""Cards that take letters."""


class Typing(Showing):
    """``typed`` is what stands on the card; ``level`` how much of a lesson one does by hand."""

    typed = ""
    _wrong = 0
    _by_hand = -1
    """The step whose action was named already."""
    _past = -1

    def __init__(self, player: PlayerLike, options: Options, compose_view: Compose, *, in_course: bool = False) -> None:
        super().__init__(player, options, compose_view, in_course=in_course)
        self.level: Level = options.level
        self._shown = self.masked(self._shown)

    @property
    def options(self) -> Options:
        """See ``Page``."""
        return dataclasses.replace(super().options, level=self.level)

    @property
    def sand(self) -> SandPlayer | None:
        """The sandbox, if this is one."""
        return self.player if isinstance(self.player, SandPlayer) else None

    @property
    def led(self) -> Player | None:
        """The lesson being played, None for the sandbox and for what is not played step by step."""
        return self.player if isinstance(self.player, Player) and self.sand is None else None

    def masked(self, moment: Moment) -> Moment:
        """While the action is asked for, its name is nowhere to be read."""
        if self.led is None or self.level == "watch" or moment.phase != "orient" or self._by_hand == moment.step_index:
            return moment
        known = moment.titles[: moment.step_index]
        return replace(moment, titles=(*known, *["?"] * (len(moment.titles) - len(known))), next_code="")

    @property
    def may_fork_freely(self) -> bool:
        """See ``Showing``: from a moment at which rings run."""
        return self.led is not None and rings_run(self.led.moment().state)

    # --- letters --------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """While there is a card to type on, letters are letters."""
        if self.card is None or self.card.id not in TYPED:
            return
        if event.key == "backspace":
            self._retype(self.typed[:-1])
        elif event.key == "tab":
            self._complete()
        elif event.key in ("up", "down"):
            self._recall(1 if event.key == "up" else -1)
        elif event.is_printable and event.character:
            self._retype(self.typed + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted words are typed as well."""
        if self.card is not None and self.card.id in TYPED:
            self._retype(self.typed + event.text.split("\n")[0])

    def _retype(self, text: str, words: str = "") -> None:
        self.typed = text
        self.put_card(self.order_card(words) if self.card and self.card.id == ORDER else self.type_card(words))

    def _complete(self) -> None:
        if self.card is None or self.card.id != ORDER:
            return
        fitting = completions(self.typed)
        if len(fitting) == 1:
            before, _, _ = self.typed.rpartition(" ")
            self._retype(f"{before} {fitting[0]} ".lstrip())

    def _recall(self, by: int) -> None:
        """Orders given before."""
        sand = self.sand
        lines = [step.line for step in reversed(sand.lesson.step) if step.line] if sand is not None else []
        if self.card is None or self.card.id != ORDER or not lines:
            return
        self._past = min(max(-1, self._past + by), len(lines) - 1)
        self._retype(lines[self._past] if self._past >= 0 else "")

    # --- orders ---------------------------------------------------------------------------------------------

    def order_card(self, words: str = "") -> Card:
        """Where an order is typed, with what it may become, or what was wrong."""
        lang = self.lang
        fitting = completions(self.typed)
        verb = BY_NAME.get(self.typed.split(" ")[0]) if self.typed else None
        lines = [f"{t(lang, 'sandbox.prompt')}{self.typed}_", ""]
        if words:
            lines.append(words)
        elif verb is not None:
            lines += [teach(lang, verb.name), t(lang, "sandbox.usage", usage=verb.usage)]
        if fitting and not words:
            lines.append(t(lang, "sandbox.fits", words=" ".join(fitting)))
        return Card(ORDER, t(lang, "sandbox.title"), tuple(lines), foot=t(lang, "sandbox.foot"), low=True)

    def ask_order(self) -> None:
        """Lay the card for the next order."""
        self.typed, self._past = "", -1
        self.put_card(self.order_card())

    def give_order(self) -> None:
        """What stands on the card is given; the card stays with the reason if it is no order."""
        words = self.typed.split()
        if words[:1] in (["help"], ["?"]):
            self._retype("", self._helped(words[1:]))
            return
        if not words:
            self.put_card(None)
            return
        sand = self.sand
        if sand is None:
            return
        if sand.obey(self.typed):
            self.card = None
            self.show(moving=True)
        else:
            self._retype(self.typed, sand.moment().notice)

    def _helped(self, words: list[str]) -> str:
        verb = BY_NAME.get(words[0]) if words else None
        if verb is not None:
            return f"{teach(self.lang, verb.name)} {t(self.lang, 'sandbox.usage', usage=verb.usage)}"
        if words[:1] == ["faults"]:
            return t(self.lang, "sandbox.faults_are", names=" ".join(FAULTS))
        if words and words[0] in FAULTS:
            return breaks(self.lang, words[0])
        return t(self.lang, "sandbox.fits", words=" ".join(BY_NAME))

    # --- a lesson's step by hand ----------------------------------------------------------------------------

    def action_level(self) -> None:
        """Watch, drive, type."""
        levels = hands_on.LEVELS
        self.level = levels[(levels.index(self.level) + 1) % len(levels)]
        self.tell("hand.now", level=t(self.lang, f"hand.{self.level}"))

    def by_hand(self) -> bool:
        """Ask for the action of the step ahead, if the level is such and it was not named yet."""
        moment, led = self.player.moment(), self.led
        waiting = moment.phase == "orient" and not moment.busy and moment.timeline.at_edge
        if led is None or self.level == "watch" or not waiting or self._by_hand == moment.step_index:
            return False
        self.typed, self._wrong = "", 0
        self._ask(led)
        return True

    def _ask(self, led: Player, words: str = "") -> None:
        self.put_card(self.drive_card(led, words) if self.level == "drive" else self.type_card(words))

    def drive_card(self, led: Player, words: str = "") -> Card:
        """Actions to choose from."""
        lang = self.lang
        options = tuple(Option(step, name) for step, name in hands_on.offered(led.lesson, led.index, lang, _vary(led)))
        lines = (words or t(lang, "hand.drive_words"),)
        return Card(DRIVE, t(lang, "hand.drive_title"), lines, options, t(lang, "hand.foot_drive"))

    def type_card(self, words: str = "") -> Card:
        """A line to write."""
        lang = self.lang
        lines = (f"{t(lang, 'hand.prompt')}{self.typed}_", "", words or t(lang, "hand.type_words"))
        return Card(TYPE, t(lang, "hand.type_title"), lines, foot=t(lang, "hand.foot_type"), low=True)

    def name_action(self, said: str) -> bool:
        """Judge what was named; True when the step goes on: it was right, or has been shown."""
        led = self.led
        if led is None or not said.strip():
            return False
        verdict = hands_on.judge(led.lesson, led.index, said, _vary(led))
        self._wrong += not verdict.right
        if verdict.right or self._wrong > hands_on.TRIES:
            self._by_hand, self.card = led.index, None
            line = hands_on.shown_line(led.lesson, led.index, self.lang, _vary(led))
            self.tell("hand.right" if verdict.right else "hand.shown", line=line)
            return True
        self.typed = ""
        self._ask(led, self._wrong_words(led, said, verdict.step))
        return False

    def _wrong_words(self, led: Player, said: str, later: str) -> str:
        number = led.lesson.step_ids.index(later) + 1 if later else 0
        name = dict(hands_on.offered(led.lesson, led.index, self.lang, _vary(led))).get(said, said)
        return t(self.lang, "hand.later" if later else "hand.wrong", said=name, step=number)

    def leave_it(self) -> None:
        """Let the tour do this step."""
        self._by_hand = self.player.moment().step_index


def _vary(led: Player) -> str:
    return led.vary.id if led.vary else ""
