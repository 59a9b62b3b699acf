"""The cards a lesson can put on the table: help, forks, an error, more to read, what comes after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tour.agent.probes import Finding
from tour.errors import TourError
from tour.i18n import Lang, local, t
from tour.lesson.course import FIRST, course
from tour.lesson.moment import Moment
from tour.trace.events import Event
from tour.trace.export.acts import ExportError
from tour.trace.export.step import Form, step_lines
from tour.tui.card import Card, Option
from tour.tui.keys import HOME_KEYS, KEYS

PLAIN_FORK = "plain"
SANDBOX = "sandbox"
MAP = "map"
LEAVE = "leave"


def help_card(lang: Lang, panel: str) -> Card:
    """How to read the panel in front, then the screen as a whole, then every key."""
    keys = tuple(f"{key.display:<10} {key.words(lang)}" for key in KEYS if key.listed)
    lines = (
        t(lang, f"tui.help.{panel}"), "", t(lang, "tui.help.screen"), "", t(lang, "tui.help.keys"), *keys
    )  # fmt: skip
    title = t(lang, "tui.help.title", panel=t(lang, f"panel.{panel}"))
    return Card("help", title, lines, foot=t(lang, "tui.help.foot"))


def home_help_card(lang: Lang) -> Card:
    """What is on the map, then every key."""
    keys = tuple(f"{key.display:<10} {key.words(lang)}" for key in HOME_KEYS if key.listed)
    lines = (t(lang, "tui.help.home"), "", t(lang, "tui.help.keys"), *keys)
    return Card("help", t(lang, "tui.help.home_title"), lines, foot=t(lang, "tui.close.foot"))


def machine_card(lang: Lang, findings: Iterable[Finding] | None) -> Card:
    """What this machine lacks, with what that costs and what mends it; then what it has."""
    known = list(findings or ())
    lines: list[str] = []
    for one in (one for one in known if not one.ok):
        fix = t(lang, "cli.mend", fix=local(lang, one.fix)) if one.fix else ""
        lines += [_named(lang, "[ ]", one), one.cost(lang), *filter(None, [fix]), ""]
    lines += [_named(lang, "[x]", one) for one in known if one.ok]
    words = tuple(lines) or (t(lang, "view.home.looking"),)
    return Card("machine", t(lang, "view.home.machine"), words, foot=t(lang, "tui.close.foot"))


def _named(lang: Lang, mark: str, one: Finding) -> str:
    name = t(lang, f"doctor.name.{one.name}")
    return f"{mark} {t(lang, 'doctor.line', name=name, words=one.words(lang))}"


def progress_card(lang: Lang, words: str) -> Card | None:
    """What keeps progress from being kept; none when nothing does."""
    return Card("progress", t(lang, "progress.title"), (words,), foot=t(lang, "tui.close.foot")) if words else None


def fork_card(moment: Moment, *, recorded: bool = False, sandbox: bool = False) -> Card:
    """The forks of the lesson, those of this step first, and the ``sandbox`` where it can be gone into; a ``recorded``
    run can only be gone through again."""
    lang = moment.lang
    plain = Option(PLAIN_FORK, t(lang, "tui.fork.plain"), t(lang, "tui.fork.plain.text"))
    title, foot = t(lang, "tui.fork.title"), t(lang, "tui.fork.foot")
    if recorded:
        return Card("fork", title, (t(lang, "tui.fork.recorded", lesson=moment.lesson),), (plain,), foot)
    ordered = sorted(moment.varies, key=lambda vary: not vary.here)
    forks = [Option(vary.id, vary.title, vary.text) for vary in ordered]
    free = [Option(SANDBOX, t(lang, "sandbox.fork"), t(lang, "sandbox.fork_text"))] if sandbox else []
    return Card("fork", title, (t(lang, "tui.fork.lines"),), (*forks, plain, *free), foot)


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


def code_card(moment: Moment, events: Sequence[Event], form: Form) -> Card:
    """The shown step as C or as strace has it, as far as it has happened."""
    lang = moment.lang
    try:
        lines = step_lines(events[: moment.timeline.position], moment.step, form)
    except ExportError as error:
        lines = [local(lang, error.what), local(lang, error.why)]
    title = t(lang, f"tui.code.{form}", step=moment.title_of(moment.step))
    words = tuple(lines) or (t(lang, "tui.code.none"),)
    return Card(form, title, words, foot=t(lang, "tui.code.foot"), code=bool(lines))


def end_card(moment: Moment, *, in_course: bool) -> Card:
    """What the lesson was, then where to go: in the course the next lesson or the map, or out."""
    lang, first = moment.lang, moment.lesson == FIRST
    title = t(lang, "tui.first.title") if first else t(lang, "tui.end.title", title=moment.title)
    words = moment.text if first else t(lang, "tui.end.words")
    go = [*_onwards(moment), Option(MAP, t(lang, "tui.end.map"))] if in_course else []
    options = (*go, Option(LEAVE, t(lang, "tui.first.leave")))
    return Card("end", title, (words,), options, t(lang, "tui.first.foot"), style="title")


def _onwards(moment: Moment) -> list[Option]:
    """The next lesson, if there is one."""
    lang, following = moment.lang, course().entry(course().following(moment.lesson))
    if following is None:
        return []
    title = t(lang, "tui.end.go", id=following.id, title=following.title.get(lang))
    return [Option(following.id, title, t(lang, "tui.end.go_text"))]
