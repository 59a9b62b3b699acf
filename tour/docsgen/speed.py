"""The page on speed: its table and its picture from ``docs/speed.json``, a report of the bench."""

from __future__ import annotations

import shutil
from pathlib import Path

from tour.bench.plot import figure, svg, verdict, word
from tour.bench.report import Report, read
from tour.docsgen.filling import fill
from tour.docsgen.pictures import KINDS
from tour.i18n import Lang, t

MARK = "<!-- figures -->"


def fill_speed(page: Path, source: Path, lang: Lang) -> None:
    """Put the figures of the report ``source`` into ``page``, its picture and itself beside it. Raises UsageError."""
    report = read(str(source))
    shutil.copy(source, page.parent / source.name)
    for kind in KINDS:
        (page.parent / "img" / f"speed.{kind}.svg").write_text(svg(report, lang, kind == "dark"), "utf-8")
    fill(page, MARK, _figures(report, lang))


def _figures(report: Report, lang: Lang) -> str:
    where = t(lang, "bench.docs.where", cpu=report.cpu, kernel=report.kernel, cores=report.cores, when=report.when[:10])
    head = t(lang, "bench.docs.head")
    rows = [
        f"| `{result.name}` | {word(lang, 'verdict', verdict(result))} | {figure(result, lang) or '–'} |"
        for result in report.results
    ]
    pictures = [f"![{t(lang, 'bench.docs.picture')}](img/speed.{kind}.svg#only-{kind})" for kind in KINDS]
    return "\n".join([where, "", *pictures, "", head, "|---|---|---|", *rows])
