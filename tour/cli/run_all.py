"""``tour run all``, ``tour record all``: every lesson that is ready, one line each."""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec

from tour.cli.output import tell
from tour.cli.run import Outcome, RunOptions, play
from tour.errors import CapabilityMissing, CheckFailed, TourError, UsageError
from tour.i18n import Lang, local, t
from tour.lesson.course import Entry, course
from tour.lesson.model import load

MISSING = CapabilityMissing.exit_code


def run_all(options: RunOptions) -> int:
    """Run them, each recorded in the folder ``output`` if there is one; 0 when every check held, wherever it ran.

    Something asked for that is missing: 3; else the first failure's code. Raises UsageError.
    """
    if options.vary:
        raise UsageError("A fork is one lesson's.", "All lessons are run as they are.", "tour run 8 --vary wrap")
    if options.output:
        Path(options.output).mkdir(parents=True, exist_ok=True)
    codes = [_one(entry, options) for entry in course().ready]
    failed = sum(map(bool, codes))
    if not options.json:
        tell(t(options.lang, "all.bad" if failed else "all.good", n=failed, all=len(codes)))
    return next((code for code in codes if code not in (0, MISSING)), MISSING if MISSING in codes else 0)


def _one(entry: Entry, options: RunOptions) -> int:
    """One lesson and its line; returns its exit code."""
    began = time.monotonic()
    output = f"{options.output}/{entry.id}.jsonl" if options.output else ""
    try:
        found = play(load(entry.id), msgspec.structs.replace(options, quiet=True, json=False, output=output))
        code, error = (CheckFailed.exit_code if found.bad else 0), ""
    except TourError as failure:
        found, code = None, failure.exit_code
        error = " ".join(local(options.lang, text) for text in (failure.what, failure.why) if text).replace("\n", " ")
    seconds = time.monotonic() - began
    if options.json:
        run = msgspec.to_builtins(found) if found else {}
        tell(json.dumps({"lesson": entry.id, "code": code, "error": error, "seconds": round(seconds, 2), **run}))
    else:
        words = _words(found, options.lang, seconds) if found else error
        tell(f"{'ok' if not code else '--'}  {entry.id:>2}  {entry.title.get(options.lang)}: {words}")
    return code


def _words(found: Outcome, lang: Lang, seconds: float) -> str:
    checks = t(lang, "all.checks", good=found.total - found.bad, all=found.total)
    return f"{checks}; {t(lang, f'all.on.{found.where}', kernel=found.kernel)}; {seconds:.1f} s"
