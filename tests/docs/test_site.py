"""The site builds strictly in both languages, asks no other host, and shows every step of every lesson."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from tests.docs.conftest import Site
from tests.support import require
from tour.docsgen.filling import plain
from tour.lesson.course import course
from tour.lesson.glossary import terms
from tour.lesson.model import load

ROOT = Path(__file__).parents[2]
FOLDERS = [Path(load(entry.id).folder) for entry in course().ready]
LANGS = ["en", "zh"]


class Reads(HTMLParser):
    """What a page makes a browser load, and the pictures' alternative texts."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.alts: dict[str, str] = {}
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(str(found.get("id")))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.loads.append(str(found["src"]))
        if tag == "link" and found.get("rel") in ("stylesheet", "preconnect", "icon", "preload"):
            self.loads.append(str(found.get("href")))
        if tag == "img":
            self.alts[str(found.get("src"))] = str(found.get("alt") or "")


@pytest.mark.parametrize("builder", ["built", "built_anew"])
def test_no_page_asks_another_host(builder: str, request: pytest.FixtureRequest) -> None:
    pages = list(request.getfixturevalue(builder).html.rglob("*.html"))
    assert len(pages) > 2 * len(FOLDERS)
    for page in pages:
        away = [link for link in Reads(page).loads if re.match(r"(https?:)?//", link)]
        assert not away, f"{page}: {away}"


@pytest.mark.parametrize("builder", ["built", "built_anew"])
def test_it_was_built_with_the_network_off(builder: str, request: pytest.FixtureRequest) -> None:
    require("namespaces")
    assert request.getfixturevalue(builder).offline


@pytest.mark.parametrize("lang", LANGS)
def test_every_step_has_its_words_and_both_its_pictures(built: Site, lang: str) -> None:
    html = built.html if lang == "en" else built.html / "zh"
    for folder in FOLDERS:
        lesson = load(folder.name[:2])
        page = html / "lessons" / folder.name / "index.html"
        text, reads = page.read_text("utf-8"), Reads(page)
        for step in lesson.step:
            assert f'id="{step.id}"' in text, (folder.name, step.id)
            for kind in ("light", "dark"):
                source = next((src for src in reads.alts if src.endswith(f"{step.id}.{kind}.svg#only-{kind}")), "")
                assert source and reads.alts[source], (folder.name, step.id, kind)
                picture = page.parent.joinpath(source.partition("#")[0]).resolve()
                assert picture.read_text("utf-8").startswith("<svg"), picture


@pytest.mark.parametrize("lang", LANGS)
def test_the_navigation_names_every_lesson(lang: str) -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"][LANGS.index(lang)]
    (entries,) = nav.values()
    listed = [page for entry in entries for value in entry.values() if isinstance(value, list) for page in value]
    assert listed == [f"{'zh/' if lang == 'zh' else ''}lessons/{folder.name}.md" for folder in FOLDERS]


def test_chinese_words_end_around_the_glossarys_terms() -> None:
    """So that a search, which wants words, finds them; but for one that begins as another ends."""
    separator = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["plugins"]["search"]["separator"]
    chinese = {term.zh for term in terms().values() if re.fullmatch("[\u4e00-\u9fff]{2,}", term.zh)}
    for around in (r"\(\?=([^)]*)\)", r"\(\?<=([^)]*)\)"):
        (listed,) = re.findall(around, separator)
        assert set(listed.split("|")) == chinese - {"环项"}


def test_every_page_is_there_in_both_languages(built: Site) -> None:
    pages = {page.relative_to(built.html) for page in built.html.rglob("index.html")}
    english = {page for page in pages if page.parts[0] != "zh"}
    assert {Path("zh") / page for page in english} == pages - english


def test_no_link_or_anchor_is_dead(built: Site) -> None:
    pages = {page: Reads(page) for page in built.html.rglob("*.html") if page.name != "404.html"}
    dead = []
    for page, reads in pages.items():
        for link in reads.links:
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = unquote(link).partition("#")
            target = (page.parent / path).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            known = pages[target].ids if target in pages else set()
            if not target.exists() or (anchor and anchor not in known):
                dead.append(f"{page.relative_to(built.html)}: {link}")
    assert not dead


def test_signs_of_markdown_in_a_sentence_stay_as_they_are() -> None:
    markdown = pytest.importorskip("markdown")
    said = "tx.desc[0] is {0x40000, 54} * 2 _now_ <b> `x` # | ~"
    html = markdown.markdown(f"- {plain(said)}")
    assert unescape(re.sub(r"<[^>]+>", "", html)).strip() == said
