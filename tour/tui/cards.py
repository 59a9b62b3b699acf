"""The cards a lesson can put on the table: help, forks, an error, more to read, what comes after the first minutes."""

from __future__ import annotations

from tour.errors import TourError
from tour.i18n import Lang, local, t
from tour.lesson.moment import Moment
from tour.tui.card import Card, Option
from tour.tui.keys import KEYS

PLAIN_FORK = "plain"
NEXT_LESSON = "8"


def help_card(lang: Lang, panel: str) -> Card:
    """How to read the panel in front, then the screen as a whole, then every key."""
    keys = tuple(f"{key.display:<10} {key.words(lang)}" for key in KEYS if key.listed)
    lines = (
        t(lang, f"tui.help.{panel}"), "", t(lang, "tui.help.screen"), "", f"{t(lang, 'tui.help.keys')}:", *keys
    )  # fmt: skip
    title = t(lang, "tui.help.title", panel=t(lang, f"panel.{panel}"))
    return Card("help", title, lines, foot=t(lang, "tui.help.foot"))


def fork_card(moment: Moment, *, recorded: bool = False) -> Card:
    """The forks of the lesson, those of this step first; a ``recorded`` run can only be gone through again."""
    lang = moment.lang
    plain = Option(PLAIN_FORK, t(lang, "tui.fork.plain"), t(lang, "tui.fork.plain.text"))
    title, foot = t(lang, "tui.fork.title"), t(lang, "tui.fork.foot")
    if recorded:
        return Card("fork", title, (t(lang, "tui.fork.recorded"),), (plain,), foot)
    ordered = sorted(moment.varies, key=lambda vary: not vary.here)
    forks = [Option(vary.id, vary.title, vary.text) for vary in ordered]
    return Card("fork", title, (t(lang, "tui.fork.lines"),), (*forks, plain), foot)


def error_card(lang: Lang, error: TourError) -> Card:
    """What happened, why, and what mends it."""
    fix = t(lang, "tui.error.fix", fix=local(lang, error.fix)) if error.fix else ""
    lines = tuple(line for line in (local(lang, error.what), local(lang, error.why), fix) if line)
    return Card("error", t(lang, "tui.error.title"), lines, foot=t(lang, "tui.error.foot"), style="bad")


def more_card(moment: Moment) -> Card:
    """The optional drawer of the present step."""
    text = moment.more or t(moment.lang, "tui.more.none")
    refs = ("", *moment.refs) if moment.refs else ()
    return Card(
        "more", t(moment.lang, "tui.more.title"), (*text.split("\n"), *refs), foot=t(moment.lang, "tui.close.foot")
    )


def after_first_minutes(moment: Moment) -> Card:
    """The model in one line, then where to go."""
    lang = moment.lang
    go = Option(NEXT_LESSON, t(lang, "tui.first.go"), t(lang, "tui.first.go.text"))
    leave = Option("leave", t(lang, "tui.first.leave"))
    title, foot = t(lang, "tui.first.title"), t(lang, "tui.first.foot")
    return Card("first", title, (moment.text,), (go, leave), foot, style="title")
