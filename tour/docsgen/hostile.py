"""The page on hostile front ends: its table from the catalogue of named violations."""

from __future__ import annotations

from pathlib import Path

from tour.docsgen.filling import fill
from tour.i18n import Lang
from tour.testing.hostile.catalogue import Violation, catalogue

MARK = "<!-- catalogue -->"


def fill_hostile(page: Path, lang: Lang) -> None:
    """Put a row for each violation into ``page``. Raises UsageError when it has no place for them."""
    fill(page, MARK, "\n".join(_row(entry, lang) for entry in catalogue()))


def _row(entry: Violation, lang: Lang) -> str:
    what, kernel = (entry.zh, entry.kernel_zh) if lang == "zh" else (entry.en, entry.kernel_en)
    differs = f"{entry.kernel}{'：' if lang == 'zh' else ': '}{kernel}" if kernel else ""
    reason = f"`{entry.reason}`" if entry.reason else ""
    return f"| `{entry.id}` | {what} | {entry.spec} | {entry.verdict} | {reason} | {differs} |"
