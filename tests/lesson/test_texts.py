"""The lessons' words: the rules of ``tour.dev`` over every lesson, and what is true of particular ones."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tour.dev import check, questions, structure
from tour.dev.words import markup_faults, measure
from tour.i18n import Lang
from tour.lesson import model
from tour.lesson.glossary import terms
from tour.lesson.model import Text, load_folder, misconceptions

ROOT = model.root()
FOLDERS = sorted(folder for name, folder in model.folders().items() if structure.ready(name))
"""Of the lessons that are ready; others may be in work."""
LANGS: tuple[Lang, ...] = ("en", "zh")
PLANTED = {
    "kick-carries-data", "kick-makes-interrupt", "avail-flags-silences-kicks", "packet-in-ring",
    "device-sees-written-descriptor", "device-marks-descriptor", "idx-wraps-at-num", "used-order-is-avail-order",
    "used-len-is-bytes-sent", "device-provides-rx-buffers", "set-vring-addr-takes-gpa", "one-call-per-packet",
    "vhost-needs-kvm", "vhost-is-whole-nic", "qemu-forwards-packets", "irqfd-belongs-to-vhost",
    "tap-rx-is-guest-rx", "dirty-log-has-guest-writes",
}  # fmt: skip


def test_the_lessons_are_found() -> None:
    names = [folder.name for folder in FOLDERS]
    assert names[0] == "00_first_minutes" and "08_first_packet_out" in names


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_lesson_keeps_the_rules(folder: Path) -> None:
    assert [finding.shown("en") for finding in check.rules(load_folder(folder))] == []


def test_what_lessons_share_keeps_the_rules() -> None:
    assert [finding.shown("en") for finding in (*questions.misconceptions(), *check.claims_of_shared())] == []


def test_the_measure_counts_what_it_says() -> None:
    assert measure("en", "one `two.three` four") == 3
    assert measure("zh", "把 `avail.idx` 加 1。") == 4


def test_markup_faults_are_seen() -> None:
    assert markup_faults("an *italic* word") == ["stray * or `"]
    assert markup_faults("[a](b)") == ["link or image"]
    assert markup_faults("- a `b[0]` **list**\n- of two") == []


def test_a_skipped_action_has_words_of_its_own_to_the_end() -> None:
    lesson = model.load("8")
    after = lesson.step_ids[lesson.step_ids.index("kick") :]
    for lang in LANGS:
        for step in lesson.step_ids:
            own = lesson.text(lang, step, "forget_kick") != lesson.text(lang, step)
            assert own == (step in after), step


def test_the_first_minutes_ask_nothing_and_name_no_ioctl() -> None:
    lesson = model.load("0")
    assert len(lesson.step) == 6
    assert not any(step.predict for step in lesson.step)
    assert "ioctl" not in str(lesson.texts).lower()
    assert lesson.after == Text(
        en="Three tables, two writers, two doorbells per queue.", zh="三张表，两个写者，每队列两只门铃。"
    )
    for lang in LANGS:
        for step in lesson.step_ids:
            assert len(re.findall(questions.SENTENCE_END[lang], lesson.texts[lang][step].explain)) == 1, (lang, step)


def test_the_misconceptions_of_the_course_are_met() -> None:
    known = misconceptions()
    assert set(known) >= PLANTED
    assert all(entry.claim.get(lang) and entry.refutation.get(lang) for entry in known.values() for lang in LANGS)


def test_the_course_has_every_lesson_once() -> None:
    parts = tomllib.loads((ROOT / "course.toml").read_text("utf-8"))["part"]
    rows = [row for part in parts for row in part["lesson"]]
    assert [row["id"] for row in rows] == [str(number) for number in range(25)]
    assert all(row["title"]["en"] and row["title"]["zh"] for row in [*rows, *parts])
    there = {folder.name: load_folder(folder).id for folder in FOLDERS}
    ready = {f"{int(row['id']):02d}_{row['slug']}": row["id"] for row in structure.course().values() if row["ready"]}
    assert ready == there


def test_the_glossary_has_both_languages_and_a_source() -> None:
    known = terms()
    assert {"driver", "device", "ring", "descriptor", "buffer", "packet", "kick", "call", "reap"} <= set(known)
    for key, term in known.items():
        assert re.fullmatch(r"[a-z0-9-]+", key)
        assert all((term.en, term.zh, term.ref, term.meaning.en, term.meaning.zh)), key
    names = [term.zh for term in known.values()]
    assert len(names) == len(set(names)), "one word, one idea"
