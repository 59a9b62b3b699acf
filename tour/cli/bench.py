"""``tour bench``: start the bench where its taps may be, say what each row found, as text, JSON or a picture."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tour.agent.spawn import spawn
from tour.bench.plot import figure, svg, verdict, word
from tour.bench.report import Report, Result, begun, read
from tour.bench.rows import Row, chosen
from tour.cli.output import say, tell, tell_bytes
from tour.errors import AgentLost, UsageError
from tour.i18n import Lang, local, t

ROUNDS = 15
LONGEST = 1200.0


class BenchOptions(msgspec.Struct, frozen=True):
    """What was asked for; ``source`` is a report to tell again instead of measuring."""

    rows: list[str]
    lang: Lang
    rounds: int = ROUNDS
    json: bool = False
    svg: str = ""
    source: str = ""
    list: bool = False


def bench(options: BenchOptions) -> int:
    """Measure and tell; 1 when a row does not hold or went wrong, else 0. Raises TourError."""
    if options.rounds < 3:
        raise UsageError("An interval wants at least 3 rounds.", "", "tour bench --rounds 15")
    rows = chosen(options.rows)
    if options.list:
        for row in rows:
            tell(f"{row.name:16}{word(options.lang, 'row', row.name)}")
        return 0
    report = read(options.source) if options.source else _measured(options, rows)
    if options.source and not options.json:
        for result in report.results:
            _tell(result, options.lang)
    if options.svg:
        Path(options.svg).write_text(svg(report, options.lang), "utf-8")
    if options.json:
        tell_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    return 1 if any(result.holds is False or result.failed for result in report.results) else 0


def _measured(options: BenchOptions, rows: list[Row]) -> Report:
    report, start = begun(options.rounds), time.monotonic()
    say(t(options.lang, "bench.begin", rows=len(rows), rounds=options.rounds))
    for result in _results(options.rounds, rows):
        report.results.append(result)
        _tell(result, options.lang, aside=options.json)
    report.seconds = round(time.monotonic() - start, 1)
    return report


def _results(rounds: int, rows: list[Row]) -> Iterator[Result]:
    """Each row's result as it comes. Raises AgentLost when the bench ends early."""
    argv = [sys.executable, "-m", "tour.bench", str(rounds), *(row.name for row in rows)]
    with spawn(argv) as child, child.stream.makefile("rb") as lines:
        for line in lines:
            yield msgspec.json.decode(line, type=Result)
        if child.wait(LONGEST):
            raise AgentLost("The bench ended early.", child.stderr_tail()[-500:])


def _tell(result: Result, lang: Lang, *, aside: bool = False) -> None:
    """One row in two lines: what it is and whether it holds; the figures."""
    out = say if aside else tell
    judged = word(lang, "verdict", verdict(result))
    out(f"{result.name:16}{word(lang, 'row', result.name)}: {judged}")
    if result.lacking is not None:
        words = (local(lang, text) for text in (result.lacking.what, result.lacking.why) if text)
        out(f"{'':16}{' '.join(words)}")
        if result.lacking.fix:
            out(f"{'':16}{t(lang, 'cli.mend', fix=local(lang, result.lacking.fix))}")
        return
    out(f"{'':16}{figure(result, lang)}")
