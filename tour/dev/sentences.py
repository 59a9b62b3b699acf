"""A text of the Markdown subset as sentences, in English and Chinese; strict rather than clever."""

from __future__ import annotations

import hashlib
import re

_SHORT = re.compile(r"(?<!\w)(?:e\.g|i\.e|etc|vs|cf|approx|resp|incl)\.$", re.I)
"""Abbreviations whose full stop ends no sentence."""
_CODE = re.compile(r"`[^`]*`")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+", re.M)
_END = {
    "en": re.compile(r"[.?!][\"')\]*\u201d\u2019]*(?=\s|$)"),
    "zh": re.compile(r"[。？！…][\"')\]*”’」』）]*|[.?!][\"')\]*]*(?=\s|$)"),
}


def sentences(lang: str, text: str) -> list[str]:
    """The sentences of ``text`` in order, blanks and line ends made one blank. A list's item and a paragraph end one
    as well, a code span and an abbreviation never does."""
    found = []
    for block in re.split(r"\n\s*\n", text):
        for piece in _pieces(block):
            found += _split(lang, " ".join(piece.split()))
    return found


def _pieces(block: str) -> list[str]:
    starts = [match.start() for match in _ITEM.finditer(block)]
    edges = [0, *starts, len(block)]
    parts = [_ITEM.sub("", block[a:b], count=1) for a, b in zip(edges, edges[1:], strict=False)]
    return [part for part in parts if part.strip()]


def _split(lang: str, text: str) -> list[str]:
    masked = _CODE.sub(lambda match: "`" + "x" * (len(match[0]) - 2) + "`", text)
    found, start = [], 0
    for match in _END[lang].finditer(masked):
        if _SHORT.search(masked, 0, match.end()):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    return [part for part in [*found, text[start:].strip()] if part]


def is_question(sentence: str) -> bool:
    """Whether it asks: a question claims nothing."""
    return sentence.rstrip("\"')*”’」』）]").endswith(("?", "？"))


def sentence_hash(sentence: str) -> str:
    """Twelve hexadecimal digits that change with any character of the sentence."""
    return hashlib.sha256(sentence.encode()).hexdigest()[:12]
