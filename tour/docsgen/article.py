"""The page on the article the course comes from: each statement, whether it was and is true, and where it is shown."""

from __future__ import annotations

import tomllib
from itertools import groupby
from pathlib import Path
from typing import Any

from tour.docsgen.filling import fill, plain
from tour.i18n import Lang, t
from tour.lesson.model import load

MARK = "<!-- statements -->"


def fill_article(page: Path, source: Path, lang: Lang) -> None:
    """Put the statements of ``source`` (docs/article.toml) into ``page``, a table a part. Raises UsageError."""
    statements = tomllib.loads(source.read_text("utf-8"))["statement"]
    lines = []
    for part, rows in groupby(statements, lambda row: row["part"]):
        lines += [f"## {t(lang, 'docsgen.article.' + part.replace('-', '_'))} {{#{part}}}", ""]
        for row in rows:
            lines += _statement(row, lang)
    fill(page, MARK, "\n".join(lines))


def _statement(row: dict[str, Any], lang: Lang) -> list[str]:
    then, now = (t(lang, f"docsgen.article.{row[key]}") for key in ("then", "now"))
    lines = [f"### {plain(row['says'][lang])} {{#{row['id']}}}", ""]
    lines += [f"> {plain(row[key])}\n" for key in ("quote", "quote_zh") if row[key]]
    lines += [t(lang, "docsgen.article.verdict", then=then, now=now), "", plain(row["today"][lang]), ""]
    if "wrong" in row:
        lines += [t(lang, "docsgen.article.wrong", text=plain(row["wrong"][lang])), ""]
    shown = t(lang, "docsgen.article.and").join(_place(place, lang) for place in row["shown"])
    return [*lines, t(lang, "docsgen.article.shown", places=shown, source=plain(row["source"])), ""]


def _place(place: str, lang: Lang) -> str:
    """A link to the step; a planned lesson in words."""
    planned = place.startswith("planned: ")
    number, _, step = place.rpartition("lesson ")[2].partition(":")
    if planned:
        return t(lang, "docsgen.article.planned", lesson=number)
    lesson = load(number)
    name = f"{lesson.id}. {lesson.title.get(lang)}: {lesson.spec(step).name(lang)}"
    return f"[{plain(name)}](lessons/{Path(lesson.folder).name}.md#{step})"
