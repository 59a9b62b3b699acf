"""``tour export`` and ``tour run --as``: every form, a fork run anew, a recording of one's own, mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import tour
from tests.support import ROOT, require
from tour.lesson.model import load
from tour.view.panels.rows import runs

REFERENCE = ROOT / "lessons/09_first_packet_in/kernel.trace.jsonl"


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("c", "/*\n * Lesson 9 of vhost-tour"),
        ("python", "#!/usr/bin/env python3\n# Lesson 9 of vhost-tour"),
        ("strace", 'openat(AT_FDCWD, "/dev/net/tun"'),
        ("mermaid", "sequenceDiagram\n"),
        ("pcapng", "\n\r\r\n"),
    ],
)
def test_every_form_on_standard_output(form: str, begins: str) -> None:
    told, said = tour("export", "9", "--as", form)
    assert told.startswith(begins) and said == ""


def test_into_a_file(tmp_path: Path) -> None:
    told, said = tour("export", "8", "--as", "c", "-o", tmp_path / "lesson.c")
    assert told == "" and str(tmp_path / "lesson.c") in said
    assert "int main(void)" in (tmp_path / "lesson.c").read_text()


def test_a_picture_for_each_step_or_of_one(tmp_path: Path) -> None:
    tour("export", "9", "--as", "svg", "-o", tmp_path / "all", "--size", "80x24")
    names = [path.name for path in sorted((tmp_path / "all").iterdir())]
    assert names == [f"{number:02d}-{step}.svg" for number, step in enumerate(load("9").step_ids, 1)]
    tour("export", "9", "--as", "svg", "--at", "ping", "-o", tmp_path / "ping.svg", "--size", "80x24")
    assert (tmp_path / "ping.svg").read_text() == (tmp_path / "all/05-ping.svg").read_text()


def test_a_recording_of_one_s_own(tmp_path: Path) -> None:
    assert tour("export", "9", "--as", "strace", "--from", REFERENCE) == tour("export", "9", "--as", "strace")
    _, said = tour("export", "8", "--as", "strace", "--from", REFERENCE, code=2)
    assert "is a recording of lesson 9, not 8" in said


@pytest.mark.requires("embedded")
def test_a_fork_is_run_anew() -> None:
    told, said = tour("export", "9", "--as", "c", "--vary", "small", "--device", "embedded")
    assert "as recorded on the embedded device" in told and "A fork, taken at 9:ask." in told
    assert 'used("rx used.ring[2]", 0x80ac, 2, 46);' in told
    assert "Recorded" not in said


@pytest.mark.requires("embedded")
def test_run_shows_each_step_as_c() -> None:
    told, _ = tour("run", "8", "--plain", "--as", "c", "--device", "embedded")
    assert told.count("As C:") == 7 and "static void step_publish(void)" in told
    told, _ = tour("run", "8", "--plain", "--as", "strace", "--device", "embedded")
    assert told.count("As strace has it:") == 7 and '"\\1\\0\\0\\0\\0\\0\\0\\0", 8)' in told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("export", "9", "--as", "rust"), "There is no form 'rust'."),
        (("export", "9", "--as", "svg"), "Pictures need a place."),
        (("export", "9", "--as", "svg", "--at", "nowhere", "-o", "x.svg"), "Lesson 9 has no step 'nowhere'."),
        (("export", "9", "--as", "c", "-o", "/nowhere/x.c"), "/nowhere/x.c cannot be written"),
        (("export", "9", "--as", "c", "--from", "/nowhere"), "The recording /nowhere cannot be read"),
        (("export", "99", "--as", "c"), "There is no lesson '99'."),
        (("run", "8", "--plain", "--as", "rust"), "A step cannot be shown as 'rust'."),
    ],
)
def test_mistakes_are_said(words: tuple[str, ...], why: str) -> None:
    _, said = tour(*words, code=2)
    assert why in said


def test_a_player_file_of_a_lesson_and_of_a_recording_of_ones_own(tmp_path: Path) -> None:
    told, _ = tour("export", "9", "--as", "player", "--lang", "zh")
    film = json.loads(told)
    assert (film["lesson"], film["lang"]) == ("9", "zh")
    assert [step["id"] for step in film["steps"]] == list(load("9").step_ids)
    told, _ = tour("export", "--as", "player", "--from", REFERENCE)
    assert json.loads(told)["deltas"] == json.loads(tour("export", "9", "--as", "player")[0])["deltas"]


def test_a_fork_is_told_in_its_own_words(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    require("tun")
    tour("record", "8", "--vary", "forget_kick", "--device", "embedded", "-o", mine)
    film = json.loads(tour("export", "--as", "player", "--from", mine)[0])
    (kick,) = [step for step in film["steps"] if step["id"] == "kick"]
    words = load("8").text("en", "kick", "forget_kick")
    assert words != load("8").text("en", "kick") and runs(words.orient) == [
        [tuple(piece) for piece in paragraph] for paragraph in kick["orient"]
    ]


def test_of_nothing_nothing_is_exported() -> None:
    _, said = tour("export", "--as", "player", code=2)
    assert "nothing to export" in said
