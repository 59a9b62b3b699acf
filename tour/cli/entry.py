"""Entry of the console scripts: ``tour start`` without what only the other commands need.

Typer takes about as long to import as the whole screen does; a learner should not wait for it. Whatever is not
plainly a well-formed ``start`` goes to Typer, which knows every command and tells every mistake.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

INTERRUPTED = 130

if TYPE_CHECKING:
    from tour.cli.options import StartOptions

FLAGS = ("--plain", "--lab", "--no-motion")
VALUES = ("--device", "--lang", "--kernel", "--ssh", "--glyphs", "--theme", "--state-dir", "--level")


def main() -> None:
    """Run what the command line says; leaves with its exit code. Ctrl-C while we still import is no news to anybody."""
    try:
        _begun()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _begun() -> None:
    """An agent that will be needed starts first of all."""
    if not goes_live(sys.argv[1:]):
        _main()
        return
    from tour.agent import early

    early.begin()
    try:
        _main()
    finally:
        early.drop()


def goes_live(argv: Sequence[str]) -> bool:
    """Whether this looks like a lesson's screen with an agent of this machine behind it."""
    elsewhere = {"--lab", "--ssh", "--plain", "--help", "replay", "--device=replay"}
    words = {word.partition("=")[0] if word.startswith("--ssh=") else word for word in argv}
    live = argv[:1] == ["start"] and sys.platform == "linux" and not elsewhere & words and _terminal()
    return live and (any(word[:1].isdigit() for word in argv[1:]) or _first_time(argv))


def _first_time(argv: Sequence[str]) -> bool:
    """Whether ``start`` alone opens the first five minutes, not the map."""
    options = quick_start(argv)
    if options is None or options.lesson:
        return False
    from tour.lesson.progress import NAME, state_dir

    return not (state_dir(options.state_dir) / NAME).exists()


def _terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _main() -> None:
    options = quick_start(sys.argv[1:])
    if options is None:
        from tour.cli.main import main as full

        full()
        return
    from tour.cli.output import guarded, prepare_streams
    from tour.cli.start import start_lesson

    prepare_streams()
    asked = options
    sys.exit(guarded(lambda: start_lesson(asked), asked.lang))


def quick_start(argv: Sequence[str]) -> StartOptions | None:
    """The options of a well-formed ``start``, None for anything else."""
    if argv[:1] != ["start"]:
        return None
    from tour.cli.options import StartOptions, Where
    from tour.i18n import Lang, default_language
    from tour.lesson.hands_on import LEVELS

    langs: dict[str, Lang] = {"en": "en", "zh": "zh"}
    found: dict[str, str] = {}
    rest = list(argv[1:])
    while rest:
        if not _take(rest, found):
            return None
    lang = langs.get(found.get("--lang", ""), default_language() if not found.get("--lang") else None)
    level = next((one for one in LEVELS if one == found.get("--level", "watch")), None)
    if lang is None or level is None:
        return None
    get = found.get
    where = Where(get("--device", "auto"), "--lab" in found, get("--kernel", ""), get("--ssh", ""))
    plain, still = "--plain" in found, "--no-motion" in found
    look = (get("--glyphs", "auto"), get("--theme", ""), still)
    return StartOptions(get("", ""), where, lang, plain, *look, get("--state-dir", ""), level)


def _take(rest: list[str], found: dict[str, str]) -> bool:
    """Move the next option or the lesson from ``rest`` to ``found``; False when it is not one we know."""
    name, assigned, value = rest.pop(0).partition("=")
    if name in FLAGS and not assigned:
        found[name] = "yes"
    elif name in VALUES and (assigned or rest):
        found[name] = value if assigned else rest.pop(0)
    elif name and not name.startswith("-") and not assigned and "" not in found:
        found[""] = name
    else:
        return False
    return True
