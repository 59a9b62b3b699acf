"""Streams and exit codes: standard output is data, standard error is narration, nobody sees a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from tour.errors import TourError
from tour.i18n import Lang, default_language, t

INTERRUPTED = 130
DEFECT = 4


def say(text: str = "") -> None:
    """A line of narration."""
    print(text, file=sys.stderr, flush=True)


def tell(text: str = "") -> None:
    """A line of data."""
    print(text, flush=True)


def explain(error: TourError, lang: Lang) -> None:
    """What happened, why, and what mends it."""
    say(error.what)
    if error.why:
        say(error.why)
    if error.fix:
        say(t(lang, "cli.mend", fix=error.fix))


def guarded(run: Callable[[], int], lang: Lang | None = None) -> int:
    """``run()``'s exit code; every error becomes sentences and its documented code."""
    language = lang or default_language()
    try:
        return run()
    except TourError as error:
        explain(error, language)
        return error.exit_code
    except KeyboardInterrupt:
        say(t(language, "cli.interrupted"))
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:  # noqa: BLE001 - the last line of defence
        if os.environ.get("VHOST_TOUR_DEBUG"):
            traceback.print_exc()
        say(t(language, "cli.defect", kind=type(error).__name__, text=error))
        return DEFECT
