"""Streams and exit codes: standard output is data, standard error is narration, nobody sees a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
import unicodedata
from collections.abc import Callable

from tour.errors import TourError
from tour.i18n import Lang, default_language, local, t

INTERRUPTED = 130
DEFECT = 4
NO_OUTPUT = 2


def prepare_streams() -> None:
    """What a terminal cannot show, or typed wrongly, becomes a question mark instead of an error."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str = "") -> None:
    """A line of narration; nobody hears it where standard error is closed."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(harmless(text), file=sys.stderr, flush=True)


def tell(text: str = "") -> None:
    """A line of data for people. Raises OSError, BrokenPipeError when nobody reads any more."""
    print(harmless(text), flush=True)


def tell_bytes(data: bytes) -> None:
    """Data for programs, as it is. Raises OSError as ``tell``."""
    if sys.stdout is not None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def harmless(text: str) -> str:
    """``text`` without what would steer a terminal: a recording may come from anybody."""
    if text.isprintable():
        return text
    return "".join(char if char == "\n" or unicodedata.category(char)[0] != "C" else "?" for char in text)


def explain(error: TourError, lang: Lang) -> None:
    """What happened, why, and what mends it."""
    say(local(lang, error.what))
    if error.why:
        say(local(lang, error.why))
    if error.fix:
        say(t(lang, "cli.mend", fix=local(lang, error.fix)))


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
        _close_output()
        return 0
    except OSError as error:
        _close_output()
        say(t(language, "cli.system", text=" ".join(filter(None, (error.strerror or str(error), error.filename)))))
        return NO_OUTPUT
    except Exception as error:  # noqa: BLE001 - the last line of defence
        if os.environ.get("VHOST_TOUR_DEBUG"):
            traceback.print_exc()
        say(t(language, "cli.defect", kind=type(error).__name__, text=error))
        return DEFECT


def _close_output() -> None:
    """What is still buffered goes nowhere, without a complaint at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
