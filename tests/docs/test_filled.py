"""Pages filled from data: every word, every statement of the article, every command, in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from tests.support import ROOT
from tour.docsgen import article, commands, glossary
from tour.docsgen.filling import fill
from tour.errors import UsageError
from tour.i18n import Lang, strings
from tour.lesson.glossary import terms

DOCS = ROOT / "docs"
each_lang = pytest.mark.parametrize("lang", get_args(Lang))


def page_of(lang: Lang, name: str, folder: Path) -> Path:
    page = folder / name
    page.write_text((DOCS / lang / name).read_text("utf-8"), "utf-8")
    return page


@each_lang
def test_every_word_has_its_entry(lang: Lang, tmp_path: Path) -> None:
    page = page_of(lang, "glossary.md", tmp_path)
    glossary.fill_glossary(page, lang)
    found = re.findall(r"^### .* \{#([\w-]+)\}$", page.read_text("utf-8"), re.M)
    assert found == list(terms())


@each_lang
def test_every_statement_of_the_article_has_its_verdict_its_source_and_its_place(lang: Lang, tmp_path: Path) -> None:
    page = page_of(lang, "article.md", tmp_path)
    article.fill_article(page, DOCS / "article.toml", lang)
    rows = tomllib.loads((DOCS / "article.toml").read_text("utf-8"))["statement"]
    told = dict(re.findall(r"^### .*? \{#([\w-]+)\}\n(.*?)(?=^##|\Z)", page.read_text("utf-8"), re.M | re.S))
    assert list(told) == [row["id"] for row in rows]
    for row in rows:
        text, links = told[row["id"]], [place for place in row["shown"] if not place.startswith("planned")]
        assert len(re.findall(r"\]\(lessons/\d\d_\w+\.md#\w+\)", text)) == len(links), row["id"]
        for key in ("then", "now"):
            assert f"**{strings(lang)[f'docsgen.article.{row[key]}']}**" in text


@each_lang
def test_commands_say_what_the_program_says(lang: Lang, tmp_path: Path) -> None:
    page = page_of(lang, "commands.md", tmp_path)
    commands.fill_commands(page, lang)
    text = page.read_text("utf-8")
    command = [sys.executable, "-m", "tour.cli", "--help"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    names = re.findall(r"^  ([a-z][\w-]*) ", listed.partition("Commands:")[2], re.M)
    assert len(names) > 18 and all(f"## tour {name} {{#tour-{name}}}" in text for name in names)
    assert strings(lang)["cli.opt_export_lesson"].split("；")[0].split(";")[0] in text


def test_a_page_without_a_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no place")
    with pytest.raises(UsageError):
        fill(page, "<!-- x -->", "")
