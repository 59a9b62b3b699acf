"""Claims: which sentences want one, the file that is written for them, and what is wrong with a noted one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.dev.conftest import Edit
from tour.dev import claims
from tour.dev.claims import Claim, Sentence
from tour.dev.finding import Finding
from tour.lesson import model


@pytest.fixture
def path(folder: Path) -> Path:
    """A file of claims in which every sentence of the copied lesson is settled and read."""
    path = folder / "claims.toml"
    wanted = claims.told(model.load_folder(folder))
    path.write_text("format_version = 1\n" + claims.as_toml(wanted, settled(wanted)), "utf-8")
    return path


def settled(wanted: list[Sentence]) -> claims.Claims:
    noted: claims.Claims = {}
    for each in wanted:
        noted.setdefault(each.place, {})[each.hash] = Claim("virtio v1.3 2.7", "", "Ada", **{each.lang: each.text})
    return noted


def faults(path: Path) -> list[Finding]:
    return claims.faults(path, claims.told(model.load_folder(path.parent)), "8")


def test_a_file_in_which_all_is_noted(path: Path) -> None:
    assert faults(path) == []
    assert len(tomllib.loads(path.read_text("utf-8"))["publish explain"]) >= 8


def test_questions_choices_and_titles_claim_nothing() -> None:
    texts = {each.text for each in claims.told(model.load("8"))}
    assert "Will the frame leave?" not in texts and "65535 之后是几？" not in texts
    assert "First packet out" not in texts and "ring: it tells the device" not in texts
    assert "avail.idx went up by 1" in texts and "avail.idx 加了 1" in texts
    assert "Watch who holds descriptor 0." in texts


def test_every_part_of_every_section_is_asked_for() -> None:
    lesson = model.load("8")
    places = {each.place for each in claims.told(lesson)}
    for section in lesson.texts["en"]:
        assert {f"{section} orient", f"{section} explain"} <= places
    assert {"publish check", "fork wrap"} <= places


def test_what_lessons_share_is_asked_for() -> None:
    told = claims.told_of_misconceptions()
    assert {each.place for each in told} == set(model.misconceptions())
    assert all(each.guess for each in told)


def test_a_changed_sentence_is_missing_and_its_claim_stale(path: Path, edit: Edit) -> None:
    edit("text.en.md", "Watch who holds descriptor 0.", "Watch who holds descriptor 1.")
    found = {each.rule: each for each in faults(path)}
    assert set(found) == {"claim_missing", "claim_stale"}
    assert found["claim_missing"].values["text"] == "Watch who holds descriptor 1."
    assert found["claim_stale"].line == found["claim_missing"].line + 3, "the line of the noted sentence itself"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('source = "virtio v1.3 2.7"', 'source = "hearsay"', "claim_source"),
        ('source = "virtio v1.3 2.7", reader', 'source = "", reader', "claim_missing"),
        ('reader = "Ada"', 'reader = " "', "claim_reader"),
        ('source = "virtio v1.3 2.7", reader', 'kind = "guess", reader', "claim_kind"),
        ('source = "virtio v1.3 2.7", reader', 'source = "here", kind = "not-a-claim", reader', "claim_kind"),
        ("the queue", "a queue", "claim_stale"),
    ],
)
def test_a_claim_that_is_wrong(path: Path, edit: Edit, old: str, new: str, rule: str) -> None:
    edit("claims.toml", old, new)
    assert rule in {each.rule for each in faults(path)}


def test_what_is_no_claim_needs_no_source(path: Path, edit: Edit) -> None:
    edit("claims.toml", 'source = "virtio v1.3 2.7", reader', 'kind = "not-a-claim", reader')
    assert faults(path) == []


@pytest.mark.parametrize("text", ["publish = 3", "[publish]\nx = {sauce = 'here'}", "[publish", "\xff"])
def test_a_file_that_is_none(folder: Path, text: str) -> None:
    (folder / "claims.toml").write_bytes(text.encode("latin-1"))
    if text == "publish = 3":
        assert claims.load(folder / "claims.toml") == {}
        return
    with pytest.raises(model.LessonError):
        claims.load(folder / "claims.toml")


def test_writing_keeps_what_is_noted_adds_what_is_new_and_drops_what_is_gone(path: Path, edit: Edit) -> None:
    edit("claims.toml", 'source = "virtio v1.3 2.7"', 'source = "RFC 826"')
    edit("text.en.md", "Watch who holds descriptor 0.", "Watch it. And this is new.")
    wanted = claims.told(model.load_folder(path.parent))
    left = claims.write(path, "8", wanted)
    text = path.read_text("utf-8")
    assert left == 1 and "RFC 826" in text
    assert "Watch who holds descriptor 0." not in text
    assert text.count('kind = "not-a-claim", reader = "", en = "Watch it."') == 1
    assert [each.rule for each in faults(path)] == ["claim_missing", "claim_reader"]
    assert claims.write(path, "8", wanted) == 1 and path.read_text("utf-8") == text
