"""The lessons' words: complete in both languages, within the limits, current, and every wrong choice answered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.lesson.words import (
    LIMITS,
    halves,
    markup_faults,
    measure,
    noted_hashes,
    sections,
    source_hash,
    toml,
)
from tour.i18n import Lang
from tour.lesson import model
from tour.lesson.model import Lesson, Text, load_folder, misconceptions
from tour.trace import paths
from tour.trace.state import Ring, State

ROOT = model.root()
FOLDERS = sorted(path.parent for path in ROOT.glob("[0-9][0-9]_*/lesson.toml"))
LANGS: tuple[Lang, ...] = ("en", "zh")
BLANK = tuple([None] * 8)
EMPTY = State(
    rings=(
        Ring(0, num=8, desc=BLANK, avail_ring=BLANK, used_ring=BLANK),
        Ring(1, num=8, desc=BLANK, avail_ring=BLANK, used_ring=BLANK),
    )
)
SPEC = re.compile(r"virtio v1\.3 \d+(\.\d+)*(, \d+(\.\d+)*)*$")
SENTENCE_END = {"en": r"[.?!](?:\s|$)", "zh": "[。？！]"}
PLANTED = {
    "kick-carries-data", "kick-makes-interrupt", "avail-flags-silences-kicks", "packet-in-ring",
    "device-sees-written-descriptor", "device-marks-descriptor", "idx-wraps-at-num", "used-order-is-avail-order",
    "used-len-is-bytes-sent", "device-provides-rx-buffers", "set-vring-addr-takes-gpa", "one-call-per-packet",
    "vhost-needs-kvm", "vhost-is-whole-nic", "qemu-forwards-packets", "irqfd-belongs-to-vhost",
    "tap-rx-is-guest-rx", "dirty-log-has-guest-writes",
}  # fmt: skip

every_lesson = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
every_language = pytest.mark.parametrize("lang", LANGS)


def all_texts(lesson: Lesson) -> list[Text]:
    texts = [lesson.title, *([lesson.after] if lesson.after else [])]
    for step in lesson.step:
        texts += [check.text for check in step.check]
        if step.predict:
            texts += [step.predict.question, *(choice.text for choice in step.predict.choice)]
    return texts + [text for vary in lesson.vary for text in (vary.title, vary.text)]


def test_the_lessons_are_found() -> None:
    assert [folder.name for folder in FOLDERS][:2] == ["00_first_minutes", "08_first_packet_out"]


@every_lesson
@every_language
def test_same_steps_in_toml_and_text(folder: Path, lang: str) -> None:
    lesson = load_folder(folder)
    told = tuple(sections(halves(folder / f"text.{lang}.md")[1]))
    assert tuple(name for name in told if "@" not in name) == lesson.step_ids
    of_forks = [name.split("@") for name in told if "@" in name]
    assert all(step in lesson.step_ids and vary in [v.id for v in lesson.vary] for step, vary in of_forks)
    assert len(set(lesson.step_ids)) == len(lesson.step_ids)


@every_lesson
@every_language
def test_nothing_is_empty_or_too_long(folder: Path, lang: str) -> None:
    lesson = load_folder(folder)
    for step, text in lesson.texts[lang].items():
        for part, limit in LIMITS[lang].items():
            words = getattr(text, part)
            assert words, f"{step}: {part} is empty"
            assert measure(lang, words) <= limit, f"{step}: {part} takes {measure(lang, words)} of {limit}"


def test_the_measure_counts_what_it_says() -> None:
    assert measure("en", "one `two.three` four") == 3
    assert measure("zh", "把 `avail.idx` 加 1。") == 4


@every_lesson
@every_language
def test_only_the_plain_subset_of_markdown(folder: Path, lang: str) -> None:
    for step, text in load_folder(folder).texts[lang].items():
        for part in (text.orient, text.explain, text.more):
            assert markup_faults(part) == [], f"{step}: {part}"


def test_markup_faults_are_seen() -> None:
    assert markup_faults("an *italic* word") == ["stray * or `"]
    assert markup_faults("[a](b)") == ["link or image"]
    assert markup_faults("- a `b[0]` **list**\n- of two") == []


@every_lesson
def test_the_translation_is_current(folder: Path) -> None:
    front, _ = halves(folder / "text.zh.md")
    english = sections(halves(folder / "text.en.md")[1])
    wanted = {step: source_hash(text) for step, text in english.items()}
    assert noted_hashes(front) == wanted, "translate what changed, then note its hash"


@every_lesson
def test_numbers_and_names_are_the_same_in_both_languages(folder: Path) -> None:
    lesson = load_folder(folder)
    assert tuple(lesson.texts["en"]) == tuple(lesson.texts["zh"])
    for step in lesson.texts["en"]:
        code = {
            lang: sorted(set(re.findall(r"`([^`]+)`", "\n".join((text.orient, text.explain, text.more)))))
            for lang in LANGS
            for text in (lesson.texts[lang][step],)
        }
        assert code["en"] == code["zh"], step


@every_lesson
def test_every_short_text_is_there(folder: Path) -> None:
    for text in all_texts(load_folder(folder)):
        assert text.en.strip() and text.zh.strip(), text
        assert re.search(r"[\u4e00-\u9fff]", text.zh) or text.zh == text.en, text


@every_lesson
def test_a_kick_is_never_a_start_and_a_frame_no_buffer(folder: Path) -> None:
    chinese = (folder / "text.zh.md").read_text("utf-8") + "".join(text.zh for text in all_texts(load_folder(folder)))
    assert "启动" not in chinese
    assert "帧缓冲" not in chinese
    assert "后端驱动" not in chinese


@every_lesson
def test_each_wrong_choice_cites_a_misconception(folder: Path) -> None:
    for step in load_folder(folder).step:
        if step.predict is None:
            continue
        choices = step.predict.choice
        assert 3 <= len(choices) <= 4, step.id
        assert len({choice.id for choice in choices}) == len(choices)
        cited = [choice.misconception for choice in choices if choice.misconception]
        assert len(cited) == len(choices) - 1, f"{step.id}: one choice is right, all others cite"
        assert set(cited) <= set(misconceptions()), step.id


@every_lesson
@every_language
def test_questions_and_choices_fit_80_columns(folder: Path, lang: Lang) -> None:
    for step in load_folder(folder).step:
        if step.predict is not None:
            assert cell_len(step.predict.question.get(lang)) <= 76
            assert all(cell_len(choice.text.get(lang)) <= 35 for choice in step.predict.choice), "two columns"


@every_lesson
def test_every_predicate_can_be_read(folder: Path) -> None:
    for step in load_folder(folder).step:
        predicates = [check.expr for check in step.check]
        predicates += [when for choice in (step.predict.choice if step.predict else []) for when in choice.when]
        assert predicates, step.id
        for predicate in predicates:
            assert paths.holds(predicate, EMPTY, EMPTY) in (True, False)


@every_lesson
def test_sources_name_version_and_clause(folder: Path) -> None:
    for step in load_folder(folder).step:
        assert step.ref, step.id
        for ref in step.ref:
            assert SPEC.fullmatch(ref.spec), ref.spec
            assert not ref.kernel or "@6.1" in ref.kernel


@every_lesson
def test_variants_name_steps_and_settings(folder: Path) -> None:
    lesson = load_folder(folder)
    for vary in lesson.vary:
        assert vary.at in lesson.step_ids
        assert set(vary.set) <= {"num", "base", "buffers", "room", "skip"}
        assert vary.set.get("skip", vary.at) in lesson.step_ids


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
            assert len(re.findall(SENTENCE_END[lang], lesson.texts[lang][step].explain)) == 1, (lang, step)


def test_misconceptions_are_planted_and_met() -> None:
    known = misconceptions()
    assert set(known) >= PLANTED
    for key, entry in known.items():
        for lang in LANGS:
            assert entry.claim.get(lang) and entry.refutation.get(lang)
            count = len(re.findall(SENTENCE_END[lang], entry.refutation.get(lang)))
            assert 1 <= count <= 2, (key, lang, count)
    assert all(row["ref"] for row in toml(ROOT / "misconceptions.toml")["misconception"].values())


def test_the_course_has_every_lesson_once() -> None:
    course = toml(ROOT / "course.toml")
    rows = [row for part in course["part"] for row in part["lesson"]]
    assert [row["id"] for row in rows] == [str(number) for number in range(25)]
    assert all(row["title"]["en"] and row["title"]["zh"] for row in [*rows, *course["part"]])
    ready = {row["id"]: row for row in rows if row["ready"]}
    lessons = {lesson.id: lesson for lesson in map(load_folder, FOLDERS)}
    assert set(ready) == set(lessons)
    for key, lesson in lessons.items():
        assert Path(lesson.folder).name == f"{int(key):02d}_{ready[key]['slug']}"
        assert ready[key]["slug"] == lesson.slug
        assert Text(**ready[key]["title"]) == lesson.title


def test_the_glossary_has_both_languages_and_a_source() -> None:
    terms = toml(ROOT / "glossary.toml")["term"]
    assert {"driver", "device", "ring", "descriptor", "buffer", "packet", "kick", "call", "reap"} <= set(terms)
    for key, term in terms.items():
        assert re.fullmatch(r"[a-z0-9-]+", key)
        assert all((term["en"], term["zh"], term["ref"], term["meaning"]["en"], term["meaning"]["zh"])), key
    names = [term["zh"] for term in terms.values()]
    assert len(names) == len(set(names)), "one word, one idea"
