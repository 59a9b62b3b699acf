"""The site builds strictly in both languages, asks no other host, and shows every step of every lesson."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tour.docsgen.lesson_page import _plain
from tour.docsgen.pages import write_site
from tour.lesson.course import course
from tour.lesson.model import load

ROOT = Path(__file__).parents[2]
FOLDERS = [Path(load(entry.id).folder) for entry in course().ready]
LANGS = ("en", "zh")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``pages`` (Markdown) and ``html``, made as the README of the site says."""
    place = tmp_path_factory.mktemp("site")
    list(write_site(place / "pages"))
    for lang, name in (("en", "mkdocs.yml"), ("zh", "mkdocs.zh.yml")):
        config = (ROOT / name).read_text("utf-8")
        config = config.replace("build/site", str(place / "pages")).replace("build/html", str(place / "html"))
        (place / name).write_text(config, "utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", str(place / name)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, f"{lang}: {done.stdout}{done.stderr}"
    return place


class Reads(HTMLParser):
    """What a page makes a browser load, and the pictures' alternative texts."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.alts: dict[str, str] = {}
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.loads.append(str(found["src"]))
        if tag == "link" and found.get("rel") in ("stylesheet", "preconnect", "icon", "preload"):
            self.loads.append(str(found.get("href")))
        if tag == "img":
            self.alts[str(found.get("src"))] = str(found.get("alt") or "")


def test_no_page_asks_another_host(built: Path) -> None:
    pages = list((built / "html").rglob("*.html"))
    assert len(pages) > 2 * len(FOLDERS)
    for page in pages:
        away = [link for link in Reads(page).loads if re.match(r"(https?:)?//", link)]
        assert not away, f"{page}: {away}"


@pytest.mark.parametrize("lang", LANGS)
def test_every_step_has_its_words_and_both_its_pictures(built: Path, lang: str) -> None:
    html = built / "html" if lang == "en" else built / "html" / "zh"
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


@pytest.mark.parametrize("name", ["mkdocs.yml", "mkdocs.zh.yml"])
def test_the_navigation_names_every_lesson(name: str) -> None:
    nav = yaml.safe_load((ROOT / name).read_text("utf-8"))["nav"]
    listed = [page for entry in nav for value in entry.values() if isinstance(value, list) for page in value]
    assert listed == [f"lessons/{folder.name}.md" for folder in FOLDERS]


def test_signs_of_markdown_in_a_sentence_stay_as_they_are() -> None:
    markdown = pytest.importorskip("markdown")
    said = "tx.desc[0] is {0x40000, 54} * 2 _now_ <b> `x` # | ~"
    html = markdown.markdown(f"- {_plain(said)}")
    assert re.sub(r"<[^>]+>", "", html).strip().replace("&lt;", "<").replace("&gt;", ">") == said
