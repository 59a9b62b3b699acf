"""The page on speed: its figures are those of the committed report, and its example runs as it stands."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import pytest

from tour.bench.plot import DARK
from tour.bench.report import read
from tour.bench.rows import ROWS
from tour.docsgen.speed import MARK, fill_speed
from tour.errors import UsageError
from tour.i18n import Lang

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("lang", get_args(Lang))
def test_the_page_tells_every_row_of_the_report(lang: Lang, tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    (tmp_path / "img").mkdir()
    shutil.copy(DOCS / lang / "speed.md", page)
    fill_speed(page, DOCS / "speed.json", lang)
    text, report = page.read_text("utf-8"), read(str(DOCS / "speed.json"))
    assert MARK not in text and [f"| `{result.name}` |" in text for result in report.results] == [True] * len(ROWS)
    light, dark = ((tmp_path / "img" / f"speed.{kind}.svg").read_text("utf-8") for kind in ("light", "dark"))
    assert light.startswith("<svg") and dark.startswith("<svg")
    used = [colour for colour in DARK if colour in light]
    assert len(used) > 2 and not any(colour in dark for colour in used)
    with pytest.raises(UsageError, match="no place"):
        fill_speed(page, DOCS / "speed.json", lang)
