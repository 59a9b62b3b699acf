"""Claims: every factual sentence of a lesson, where it is written, and who read it there a second time.

A lesson's ``claims.toml`` has a table a part of a step and a line a sentence::

    ["publish explain"]
    4cc7fcda13ab = {source = "virtio v1.3 2.7.13.3", reader = "Ada", en = "`avail.idx` went up by 1, ..."}
    521af987fb2e = {kind = "not-a-claim", reader = "Ada", en = "Watch the worker."}

The key is the hash of the sentence, ``source`` has a form of ``tour.dev.sources``. Questions, choices and titles claim
nothing and are not listed. What is shared (misconceptions) has its claims in ``lessons/claims.toml``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tour.dev.finding import Finding, line_of
from tour.dev.sentences import is_question, sentence_hash, sentences
from tour.dev.sources import faulty
from tour.i18n import Lang
from tour.lesson import model
from tour.lesson.model import Lesson, Text

NOT_A_CLAIM = "not-a-claim"
LANGS: tuple[Lang, ...] = ("en", "zh")
HEAD = "# Every factual sentence, the source it was checked against, and who read it there a second time.\n"
HEAD += "# New lines: tour dev claims {name} --write\nformat_version = 1\n"
_WATCH = re.compile(r"(?:Watch|Look|Think|请留意|想一想)[^:：]*[.。]")


class Sentence(msgspec.Struct, frozen=True):
    """One factual sentence: ``place`` is the step and its part (``publish explain``)."""

    place: str
    lang: Lang
    text: str
    guess: str = ""

    @property
    def hash(self) -> str:
        """Its key."""
        return sentence_hash(self.text)


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is noted of one sentence; exactly one of ``en`` and ``zh`` holds it."""

    source: str = ""
    kind: str = ""
    reader: str = ""
    en: str = ""
    zh: str = ""


Claims = dict[str, dict[str, Claim]]
"""Place to hash to claim."""


def told(lesson: Lesson) -> list[Sentence]:
    """Every sentence of a lesson that may claim something, in the order in which they are read."""
    found: list[Sentence] = []
    for section in lesson.texts["en"] | lesson.texts["zh"]:
        for part in ("orient", "explain", "more"):
            for lang in LANGS:
                text = getattr(lesson.texts[lang].get(section, model.StepText()), part)
                found += _told(f"{section} {part}", lang, text)
        found += _checks(lesson, section)
    for vary in lesson.vary:
        found += _both(f"fork {vary.id}", vary.text)
    return found + (_both("after", lesson.after) if lesson.after else [])


def _checks(lesson: Lesson, section: str) -> list[Sentence]:
    """The words of the checks of a step, or of its own in a fork: they say what the predicate says."""
    step_id, _, vary = section.partition("@")
    step = next((each for each in lesson.step if each.id == step_id), None)
    if step is None:
        return []
    own = step.fork.get(vary)
    listed = (own.check or [] if own else []) if vary else step.check
    return [each for check in listed for each in _both(f"{section} check", check.text, f"here: {check.expr}")]


def _both(place: str, text: Text, guess: str = "") -> list[Sentence]:
    return [each for lang in LANGS for each in _told(place, lang, text.get(lang), guess)]


def _told(place: str, lang: Lang, text: str, guess: str = "") -> list[Sentence]:
    return [Sentence(place, lang, each, guess) for each in sentences(lang, text) if not is_question(each)]


def told_of_misconceptions() -> list[Sentence]:
    """The refutations: what misconceptions.toml says is true. Their source is a guess until read."""
    rows = model.read_toml(model.root() / "misconceptions.toml").get("misconception", {})
    return [
        each
        for key, row in rows.items()
        for each in _both(key, Text(**row["refutation"]), str(row.get("ref", "")))
    ]  # fmt: skip


def load(path: Path) -> Claims:
    """The claims noted in a file, none where there is no file. Raises LessonError."""
    if not path.is_file():
        return {}
    raw = model.read_toml(path)
    places = {key: value for key, value in raw.items() if isinstance(value, dict)}
    try:
        return msgspec.convert(places, Claims)
    except msgspec.ValidationError as error:
        raise model.LessonError(f"{path.parent.name}/{path.name} holds no claims.", str(error)) from error


def missing(wanted: Iterable[Sentence], noted: Claims) -> list[Sentence]:
    """Sentences of which nothing is noted, or neither a source nor that they are no claim."""
    return [each for each in wanted if not _settled(noted.get(each.place, {}).get(each.hash))]


def _settled(claim: Claim | None) -> bool:
    return claim is not None and bool(claim.source or claim.kind)


def as_toml(wanted: Iterable[Sentence], noted: Claims) -> str:
    """The sentences as a file's tables, with what is noted of them, the rest ready to be filled in."""
    lines: list[str] = []
    place = ""
    for each in unique(wanted):
        if each.place != place:
            place = each.place
            lines += ["", f"[{json.dumps(place)}]"]
        lines.append(f"{each.hash} = {_inline(each, noted.get(place, {}).get(each.hash) or _draft(each))}")
    return "\n".join(lines) + "\n"


def unique(wanted: Iterable[Sentence]) -> list[Sentence]:
    """Each sentence of a place once."""
    return list({(each.place, each.hash): each for each in wanted}.values())


def _draft(sentence: Sentence) -> Claim:
    """What an author begins with: an order to watch claims nothing, a check's words are shown by its predicate."""
    return Claim(sentence.guess, NOT_A_CLAIM if not sentence.guess and _WATCH.fullmatch(sentence.text) else "")


def _inline(sentence: Sentence, claim: Claim) -> str:
    what = ("kind", claim.kind) if claim.kind else ("source", claim.source)
    fields = [what, ("reader", claim.reader), (sentence.lang, sentence.text)]
    return "{" + ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields) + "}"


def write(path: Path, name: str, wanted: list[Sentence]) -> int:
    """Write the file anew in the order of the text, keeping what was noted and dropping what is no longer said;
    returns how many sentences still want a source. Raises LessonError."""
    noted = load(path)
    path.write_text(HEAD.format(name=name) + as_toml(wanted, noted), "utf-8")
    return len(missing(unique(wanted), load(path)))


def faults(path: Path, wanted: list[Sentence], name: str) -> list[Finding]:
    """Sentences without a claim, claims of sentences no longer said, claims without source form or reader; nothing
    where there is no file (that is a fault of its own)."""
    if not path.is_file():
        return []
    noted = load(path)
    found = [
        Finding(path, line_of(path, f'["{each.place}"]'), "claim_missing", {"place": each.place, "text": each.text,
                                                                          "hash": each.hash, "name": name})
        for each in missing(unique(wanted), noted)
    ]  # fmt: skip
    known = {(each.place, each.hash) for each in wanted}
    for place, rows in noted.items():
        for key, claim in rows.items():
            found += _claim_faults(path, place, key, claim, (place, key) in known, name)
    return found


def _claim_faults(path: Path, place: str, key: str, claim: Claim, said: bool, name: str) -> list[Finding]:
    values = {"place": place, "hash": key, "name": name, "text": claim.en or claim.zh}
    line = line_of(path, f'["{place}"]', key)
    if not said or sentence_hash(claim.en or claim.zh) != key:
        return [Finding(path, line, "claim_stale", values)]
    found = []
    if claim.source and claim.kind or claim.kind not in ("", NOT_A_CLAIM):
        found.append(Finding(path, line, "claim_kind", values | {"kind": claim.kind}))
    if claim.source and (bad := faulty(claim.source)):
        found.append(Finding(path, line, "claim_source", values | {"source": "; ".join(bad)}))
    if (claim.source or claim.kind) and not claim.reader.strip():
        found.append(Finding(path, line, "claim_reader", values))
    return found
