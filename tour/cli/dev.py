"""``tour dev``: for those who write lessons."""

from __future__ import annotations

import json
from pathlib import Path

from tour.cli.connect import requirements
from tour.cli.output import say, tell
from tour.dev import check, claims, texts
from tour.dev.finding import shown_path
from tour.i18n import Lang, local, t
from tour.lesson import model


def check_lessons(wanted: list[str], lang: Lang, linux_source: str, as_json: bool) -> int:
    """Look at lessons; returns 1 when something was found. Raises TourError."""
    report = check.check(wanted, linux_source, requirements(), lambda name: say(t(lang, "dev.looking", lesson=name)))
    if as_json:
        tell(json.dumps(report.plain(lang), ensure_ascii=False))
        return 1 if report.findings else 0
    for finding in report.findings:
        tell(finding.shown(lang))
    for skipped in report.skipped:
        tell(t(lang, "dev.skipped", name=skipped.name, why=local(lang, skipped.why)))
        tell(f"    {t(lang, 'cli.mend', fix=local(lang, skipped.fix))}")
    key = "dev.found" if report.findings else "dev.clean"
    tell(t(lang, key, count=len(report.findings), lessons=", ".join(report.lessons)))
    return 1 if report.findings else 0


def note_hashes(wanted: list[str], lang: Lang) -> int:
    """Note that translations are current. Raises LessonError."""
    for lesson in wanted:
        folder = Path(model.load(lesson).folder)
        changed = texts.renew(folder)
        say(t(lang, "dev.noted" if changed else "dev.current", file=shown_path(folder / "text.zh.md")))
    return 0


def list_claims(lesson: str, lang: Lang, write: bool) -> int:
    """Print the sentences without a claim, or write the file anew; returns 1 when some are left. Raises LessonError."""
    path, wanted, name = check.claims_file(lesson)
    if write:
        left = claims.write(path, name, wanted)
        say(t(lang, "dev.wrote", file=shown_path(path), count=left))
        return 1 if left else 0
    noted = claims.load(path)
    open_ones = claims.missing(claims.unique(wanted), noted)
    if open_ones:
        tell(claims.as_toml(open_ones, {}))
    say(t(lang, "dev.claims_left", count=len(open_ones), file=shown_path(path)))
    return 1 if open_ones else 0
