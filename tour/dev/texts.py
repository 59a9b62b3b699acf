"""The rules of a lesson's words: length, markup, both languages alike and current, the glossary's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tour.dev import structure
from tour.dev.finding import Finding, line_matching, line_of
from tour.dev.words import LIMITS, code_spans, halves, markup_faults, measure, noted_hashes, sections, source_hash
from tour.i18n import Lang
from tour.lesson import glossary, model
from tour.lesson.model import Lesson, Text

LANGS: tuple[Lang, ...] = ("en", "zh")
PARTS = ("orient", "explain", "more")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LESSON = re.compile(r"\blessons? (\d+)|第 ?(\d+) ?课")


def faults(lesson: Lesson) -> list[Finding]:
    """Everything about the words of one lesson."""
    found = _lengths(lesson) + _markup(lesson) + _current(lesson) + _code(lesson) + _short(lesson)
    return found + _terms(lesson) + _forbidden(lesson) + _lessons(lesson)


def _parts(lesson: Lesson) -> Iterator[tuple[Lang, Path, str, str, str]]:
    """Language, file, section, part and words of every part."""
    for lang in LANGS:
        path = Path(lesson.folder) / f"text.{lang}.md"
        for section, text in lesson.texts[lang].items():
            for part in PARTS:
                yield lang, path, section, part, getattr(text, part)


def _at(path: Path, section: str, part: str) -> int:
    return line_of(path, f"## {section}", f"### {part}")


def _lengths(lesson: Lesson) -> list[Finding]:
    found = []
    for lang, path, section, part, words in _parts(lesson):
        limit = LIMITS[lang].get(part)
        values = {"section": section, "part": part, "count": str(measure(lang, words)), "limit": str(limit)}
        if limit is not None and not words:
            found.append(Finding(path, _at(path, section, part), "part_empty", values))
        elif limit is not None and measure(lang, words) > limit:
            found.append(Finding(path, _at(path, section, part), f"too_long_{lang}", values))
    return found


def _markup(lesson: Lesson) -> list[Finding]:
    return [
        Finding(path, _at(path, section, part), "markup", {"section": section, "part": part, "faults": ", ".join(bad)})
        for _, path, section, part, words in _parts(lesson)
        if (bad := markup_faults(words))
    ]


def _current(lesson: Lesson) -> list[Finding]:
    """The translation notes the hash of the English section it was made from."""
    path = Path(lesson.folder) / "text.zh.md"
    english = sections(halves(Path(lesson.folder) / "text.en.md")[1])
    noted = noted_hashes(halves(path)[0])
    wanted = {section: source_hash(text) for section, text in english.items()}
    stale = [section for section in wanted if noted.get(section) != wanted[section]]
    gone = [section for section in noted if section not in wanted]
    values = {"lesson": lesson.id}
    found = [Finding(path, line_of(path, f"## {name}"), "stale", values | {"section": name}) for name in stale]
    return found + [Finding(path, line_of(path, f"{name}:"), "stale", values | {"section": name}) for name in gone]


def _code(lesson: Lesson) -> list[Finding]:
    """What stands between backquotes is the same in both languages, section by section."""
    found = []
    for section in lesson.texts["en"]:
        spans = {lang: code_spans(_whole(lesson, lang, section)) for lang in LANGS}
        odd = sorted(spans["en"] ^ spans["zh"])
        if odd and section in lesson.texts["zh"]:
            path = Path(lesson.folder) / "text.zh.md"
            values = {"section": section, "names": ", ".join(odd)}
            found.append(Finding(path, line_of(path, f"## {section}"), "code_differs", values))
    return found


def _whole(lesson: Lesson, lang: Lang, section: str) -> str:
    text = lesson.texts[lang].get(section, model.StepText())
    return "\n".join((text.orient, text.explain, text.more))


def short_texts(lesson: Lesson) -> list[Text]:
    """Every text of lesson.toml: titles, questions, choices, checks, forks."""
    found = [lesson.title, *([lesson.after] if lesson.after else [])]
    for _, own in structure.own_parts(lesson):
        found += [own.title] if own.title else []
        found += [check.text for check in own.check or []]
        if own.predict is not None:
            found += [own.predict.question, *(choice.text for choice in own.predict.choice)]
    return found + [text for vary in lesson.vary for text in (vary.title, vary.text)]


def _short(lesson: Lesson) -> list[Finding]:
    path = Path(lesson.folder) / "lesson.toml"
    return [
        Finding(path, line_of(path, f'"{text.en}"'), "chinese_missing", {"text": text.en})
        for text in short_texts(lesson)
        if not text.en.strip() or (not _HAN.search(text.zh) and text.zh != text.en)
    ]


def _terms(lesson: Lesson) -> list[Finding]:
    """Where the English of a section says one of the glossary's words, the Chinese says its Chinese word."""
    path = Path(lesson.folder) / "text.zh.md"
    words = [(_bare(term.en), _bare(term.zh)) for term in glossary.terms().values() if term.same]
    return [
        Finding(path, line_of(path, f"## {section}"), "term_differs", {"section": section, "en": en, "zh": zh})
        for section in lesson.texts["zh"]
        for en, zh in words
        if re.search(rf"\b{en}s?\b", _whole(lesson, "en", section), re.I) and zh not in _whole(lesson, "zh", section)
    ]


def _bare(word: str) -> str:
    """Without an abbreviation in brackets."""
    return word.partition(" (")[0]


class Forbidden(msgspec.Struct, frozen=True):
    """A word that stands for a confusion: ``say`` is what to write instead."""

    lang: Lang
    word: str
    say: str


def forbidden() -> list[Forbidden]:
    """The glossary's list of words never to be used. Raises LessonError."""
    rows = model.read_toml(model.root() / "glossary.toml").get("never", [])
    return [msgspec.convert(row, Forbidden) for row in rows]


def _forbidden(lesson: Lesson) -> list[Finding]:
    """Words the glossary forbids, in the texts and in lesson.toml."""
    toml = Path(lesson.folder) / "lesson.toml"
    places = [(lang, path, words) for lang, path, _, _, words in _parts(lesson)]
    places += [(lang, toml, text.get(lang)) for lang in LANGS for text in short_texts(lesson)]
    return [
        Finding(path, line_matching(path, rule.word), "forbidden_word", {"word": match[0], "say": rule.say})
        for rule in forbidden()
        for lang, path, words in places
        if lang == rule.lang and (match := re.search(rule.word, words))
    ]


def _lessons(lesson: Lesson) -> list[Finding]:
    """A lesson that is pointed to is in the course."""
    known = structure.course()
    return [
        Finding(path, line_of(path, match[0]), "lesson_unknown", {"text": match[0]})
        for _, path, _, _, words in _parts(lesson)
        for match in _LESSON.finditer(words)
        if (match[1] or match[2]) not in known
    ]


def renew(folder: Path) -> bool:
    """Note in text.zh.md the hashes of the English sections as they are now: the translator has looked at them.
    Returns whether anything changed. Raises LessonError."""
    path = folder / "text.zh.md"
    front, body = halves(path)
    english = sections(halves(folder / "text.en.md")[1])
    kept, _, block = front.partition("source-hash:\n")
    after = "".join(line for line in block.splitlines(True) if not line.startswith("  "))
    rows = "".join(f"  {section}: {source_hash(text)}\n" for section, text in english.items())
    new = f"---\n{kept}source-hash:\n{rows}{after}---\n{body}"
    if new == path.read_text("utf-8"):
        return False
    path.write_text(new, "utf-8")
    return True
