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
from tour.abi.names import VhostIoctl
from tour.docsgen import api, article, commands, errnos, figures, glossary, listings
from tour.docsgen.filling import fill
from tour.errors import UsageError
from tour.i18n import Lang, strings
from tour.lesson.glossary import terms

DOCS = ROOT / "docs"
ANSWERS = ROOT / "tests" / "contract" / "expected-6.1.json"
CALLS = [name for name in VhostIoctl.__members__ if not name.endswith("ENDIAN")]
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


@each_lang
def test_every_refusal_the_kernel_gave_has_its_words_and_its_fix(lang: Lang, tmp_path: Path) -> None:
    page = page_of(lang, "errnos.md", tmp_path)
    errnos.fill_errnos(page, DOCS / "errnos.toml", ANSWERS, lang)
    told = dict(re.findall(r"^## .*? \{#(\w+)\}\n(.*?)(?=^##|\Z)", page.read_text("utf-8"), re.M | re.S))
    refused = 0
    for case, codes in errnos.recorded(ANSWERS).items():
        call = next((name for name in CALLS if errnos.concerns(name, case)), "")
        if call and re.fullmatch("E[A-Z0-9]+", codes[0]):
            refused += 1
            assert f"**{codes[0]}**" in told.get(call, "") + told["any"], (case, codes)
    assert refused > 100
    assert "Linux 6.1" in told["VHOST_SET_VRING_BASE"] and "set_vring_base 65536" in told["VHOST_SET_VRING_BASE"]


def test_what_is_said_to_have_been_seen_was_seen() -> None:
    seen = errnos.recorded(ANSWERS)
    for row in errnos.rows(DOCS / "errnos.toml"):
        assert all(row.errno in seen[name] for name in row.seen), row
        for lang in get_args(Lang):
            assert all(errnos.means(row, call, lang) for call in row.calls)


@each_lang
def test_the_reference_has_every_public_member(lang: Lang, tmp_path: Path) -> None:
    page = page_of(lang, "api.md", tmp_path)
    api.fill_api(page, DOCS / "api.toml", lang)
    text = page.read_text("utf-8")
    for name in (name for section in api.sections(DOCS / "api.toml") for name in section.names):
        found = api.find(name)
        assert f"{{#{name}}}" in text and found.__doc__, name
        for member in api.members(found):
            head, _, rest = text.partition(f'{{#{name}.{member} data-search-exclude=""}}\n\n')
            assert rest and not rest.startswith(("#", "\n")), f"{name}.{member} has no words"
    assert "#### `wait_sent(count: int, seconds: float) -> bool`" in text and "ForwardRef" not in text
    assert "| `VHOST_SET_OWNER` | `0xaf01` | 2.6.34 |" in text


def test_a_docstring_becomes_markdown() -> None:
    doc = "Sends *all* of ``a_b``.\n\nAs :meth:`X.send` does:\n\n    send(1)\n"
    assert api.words(doc) == "Sends \\*all\\* of `a_b`.\n\nAs `X.send` does:\n\n```python\nsend(1)\n```"


def test_a_name_that_is_gone_is_refused() -> None:
    with pytest.raises(UsageError, match=r"tour\.scene\.packets\.Gone"):
        api.find("tour.scene.packets.Gone")


def test_code_on_a_page_is_the_file(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- file docs/examples/sniffer.py -->\nb\n")
    listings.fill_listings(page)
    text = (DOCS / "examples" / "sniffer.py").read_text("utf-8").rstrip()
    assert page.read_text("utf-8") == f'a\n```python title="docs/examples/sniffer.py"\n{text}\n```\nb\n'
    page.write_text("<!-- file docs/examples/gone.py -->\n")
    with pytest.raises(UsageError, match="gone"):
        listings.fill_listings(page)


@each_lang
def test_every_example_is_shown(lang: Lang) -> None:
    shown = listings.MARK.findall((DOCS / lang / "library.md").read_text("utf-8"))
    there = [
        path.relative_to(ROOT)
        for path in (DOCS / "examples").rglob("*")
        if path.is_file() and path.suffix in listings.WORDS
    ]
    other = {"en": "text.zh.md", "zh": "text.en.md"}[lang]
    assert sorted(shown) == sorted(str(path) for path in there if path.name != other and "__pycache__" not in str(path))


@each_lang
def test_a_figure_is_the_panel_as_it_stood_then(lang: Lang, tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    page = tmp_path / "page.md"
    page.write_text("<!-- figure 8:publish who tx -->\n")
    figures.fill_figures(page, lang)
    text = page.read_text("utf-8")
    assert "lessons/08_first_packet_out.md#publish" in text and "6.1.0" in text
    for kind in ("light", "dark"):
        drawn = (tmp_path / "img" / f"figure-8-publish-who-tx.{kind}.svg").read_text("utf-8")
        assert {"0x40000", "tap0", ">TX<"} <= {word for word in ("0x40000", "tap0", ">TX<") if word in drawn}
        assert ">RX<" not in drawn
    page.write_text("<!-- figure 8:publish plot -->\n")
    with pytest.raises(UsageError, match="plot"):
        figures.fill_figures(page, lang)


def test_a_page_without_a_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no place")
    with pytest.raises(UsageError):
        fill(page, "<!-- x -->", "")
