"""Each rule that needs nothing but the files, broken once on purpose in a copy of lesson 8."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dev.conftest import Edit
from tour.dev import check, questions, structure, texts
from tour.dev.finding import Finding
from tour.i18n import strings
from tour.lesson import model

Spoil = Callable[[Path, Edit], None]
PUBLISH_EN = "`avail.idx` went up by 1, and that alone offers the buffer"
LESSON = "lesson.toml"


def found(folder: Path) -> list[Finding]:
    """What the rules say of a folder, its claims and their currency aside."""
    lesson = model.load_folder(folder)
    return structure.faults(lesson) + texts.faults(lesson) + questions.faults(lesson)


def swap(name: str, old: str, new: str) -> Spoil:
    return lambda folder, edit: edit(name, old, new)


def remove(name: str) -> Spoil:
    return lambda folder, edit: (folder / name).unlink()


def both(*spoils: Spoil) -> Spoil:
    def spoil(folder: Path, edit: Edit) -> None:
        for each in spoils:
            each(folder, edit)

    return spoil


def only_two_steps(folder: Path, edit: Edit) -> None:
    text = (folder / LESSON).read_text("utf-8").split("[[step]]")
    (folder / LESSON).write_text("[[step]]".join(text[:3]), "utf-8")


def long(language: str, word: str) -> Spoil:
    old = {"en": PUBLISH_EN, "zh": "`avail.idx` 加了 1，仅此一步就交出了缓冲区"}[language]
    return swap(f"text.{language}.md", old, old + word * 120)


BROKEN: dict[str, Spoil] = {
    "file_missing": remove("scene.py"),
    "step_count": only_two_steps,
    "step_twice": swap(LESSON, 'id = "describe"', 'id = "frame"'),
    "set_up_unknown": swap(LESSON, "minutes = 12", 'minutes = 12\nset_up = "almost"'),
    "sections_differ": swap("text.en.md", "## entry", "## entri"),
    "languages_differ": swap("text.zh.md", "## kick@forget_kick", "## kick@size2"),
    "fork_names": swap(LESSON, "set = {num = 2}", "set = {nun = 2}"),
    "fork_unknown": both(
        swap("text.en.md", "## kick@forget_kick", "## kick@forget_me"),
        swap("text.zh.md", "## kick@forget_kick", "## kick@forget_me"),
    ),
    "scene_broken": swap("scene.py", "def entry(", "def entry(("),
    "scene_step": swap("scene.py", "def entry(", "def entries("),
    "course_unknown": swap(LESSON, 'id = "8"', 'id = "99"'),
    "course_differs": swap(LESSON, 'slug = "first_packet_out"', 'slug = "packet_out"'),
    "part_empty": swap("text.en.md", "Watch who holds descriptor 0.\n\n### explain", "Watch.\n\n### explained"),
    "too_long_en": long("en", " word"),
    "too_long_zh": long("zh", "字"),
    "markup": swap("text.en.md", PUBLISH_EN, f"<b>{PUBLISH_EN}"),
    "stale": swap("text.en.md", PUBLISH_EN, PUBLISH_EN.replace("offers", "hands over")),
    "code_differs": swap("text.zh.md", "`shadow_avail_idx`", "shadow_avail_idx"),
    "chinese_missing": swap(LESSON, 'zh = "三张表都不变"', 'zh = "nothing"'),
    "term_differs": swap("text.en.md", "Watch who holds descriptor 0.", "Watch the worker."),
    "forbidden_word": swap("text.zh.md", "请留意描述符 0 由谁持有", "启动设备"),
    "lesson_unknown": swap("text.en.md", "Watch who holds descriptor 0.", "See lesson 77."),
    "choice_count": swap(LESSON, 'id = "hva"\ntext', 'id = "gpa"\ntext'),
    "choice_uncited": swap(LESSON, 'misconception = "packet-in-ring"\n', ""),
    "misconception_unknown": swap(LESSON, 'misconception = "packet-in-ring"', 'misconception = "unheard-of"'),
    "choice_wide": swap(LESSON, "none of its three tables", "none of its three tables, whatever one may think of it"),
    "check_twice": swap(LESSON, 'id = "len"\ntext = {en = "desc[0]', 'id = "addr"\ntext = {en = "desc[0]'),
    "ref_form": swap(LESSON, 'spec = "virtio v1.3 5.1.6.2"', 'spec = "virtio 5.1.6.2"'),
    "predicate": swap(LESSON, 'expr = "tx.desc[0].len == 54"', 'expr = "tx.desk[0].len == 54"'),
}  # fmt: skip


@pytest.mark.parametrize("rule", sorted(BROKEN))
def test_a_broken_rule_is_found_where_it_was_broken(folder: Path, edit: Edit, rule: str) -> None:
    before = {(each.rule, tuple(each.values.items())) for each in found(folder)}
    BROKEN[rule](folder, edit)
    new = [each for each in found(folder) if (each.rule, tuple(each.values.items())) not in before]
    assert rule in {each.rule for each in new}
    for finding in new:
        assert finding.file.parent == folder and finding.line >= 1
        for lang in ("en", "zh"):
            assert all((finding.what(lang), finding.why(lang), finding.fix(lang)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("part", "rule"), [("[[step.check]]", "check_none"), ("[[step.ref]]", "ref_none")])
def test_a_step_without_checks_or_sources(folder: Path, part: str, rule: str) -> None:
    path = folder / LESSON
    steps = path.read_text("utf-8").split("[[step]]")
    blocks = steps[2].split("\n\n")
    steps[2] = "\n\n".join(block for block in blocks if not block.startswith(part))
    path.write_text("[[step]]".join(steps), "utf-8")
    hits = [each for each in found(folder) if each.rule == rule]
    assert [each.values["step"] for each in hits] == ["describe"]


def test_a_fork_of_a_step_that_lesson_has_not(folder: Path, edit: Edit) -> None:
    edit(LESSON, '[[step]]\nid = "kick"', '[step.fork.nowhere]\nline = "x"\n\n[[step]]\nid = "kick"')
    assert [each.values["name"] for each in found(folder) if each.rule == "fork_unknown"] == ["publish@nowhere"]


def test_the_line_is_the_line(folder: Path, edit: Edit) -> None:
    edit(LESSON, 'expr = "tx.desc[0].len == 54"', 'expr = "tx.desk[0].len == 54"')
    (finding,) = [each for each in found(folder) if each.rule == "predicate"]
    text = (folder / LESSON).read_text("utf-8").splitlines()
    assert text[finding.line - 1] == 'id = "len"'
    edit("text.zh.md", "请留意描述符 0 由谁持有", "请回调描述符 0")
    (finding,) = [each for each in found(folder) if each.rule == "forbidden_word"]
    assert "回调" in (folder / "text.zh.md").read_text("utf-8").splitlines()[finding.line - 1]


def test_a_lesson_as_it_is_has_no_faults(folder: Path) -> None:
    assert [each.shown("en") for each in found(folder) if each.rule != "file_missing"] == []


def test_noting_hashes_mends_what_is_stale_and_nothing_else(folder: Path, edit: Edit) -> None:
    assert texts.renew(folder) is False
    edit("text.en.md", PUBLISH_EN, PUBLISH_EN.replace("offers", "hands over"))
    body = (folder / "text.zh.md").read_text("utf-8").split("---\n", 2)[2]
    assert texts.renew(folder) is True and "stale" not in {each.rule for each in found(folder)}
    assert (folder / "text.zh.md").read_text("utf-8").split("---\n", 2)[2] == body


def test_every_rule_has_its_words() -> None:
    named = {key.split(".")[2] for key in strings("en") if key.startswith("dev.rule.")}
    sources = "".join(path.read_text("utf-8") for path in Path(check.__file__).parent.glob("*.py"))
    assert {name for name in named if f'"{name}"' not in sources} == {"too_long_en", "too_long_zh"}


def test_misconceptions_are_met_once_they_are_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = model.root()
    text = (root / "misconceptions.toml").read_text("utf-8")
    text += '\n[misconception.new]\nclaim = {en = "A.", zh = "甲。"}\nref = "x"\n'
    text += 'refutation = {en = "B. C. D.", zh = "乙"}\n'
    text = text.replace('planned = "lesson 12"', 'planned = "lesson 8"')
    (tmp_path / "misconceptions.toml").write_text(text, "utf-8")
    shutil.copy(root / "course.toml", tmp_path)
    monkeypatch.setattr(model, "root", lambda: tmp_path)
    monkeypatch.setattr(model, "folders", lambda: {"8": root / "08_first_packet_out"})
    names = {each.values["name"] for each in questions.misconceptions() if each.rule == "misconception_unplanted"}
    assert "avail-flags-silences-kicks" in names, "lesson 8 is there already"
    assert "used-order-is-avail-order" not in names, "lesson 13 is still to come"
    new = [each for each in questions.misconceptions() if "new" in each.values.values()]
    assert sorted(each.rule for each in new) == ["misconception_unplanted", "ref_form", "refutation_length",
                                                 "refutation_length"]  # fmt: skip
