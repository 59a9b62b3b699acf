"""How a lesson's words are counted, taken apart, and how a stale translation is noticed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from tour.lesson.model import LessonError

LIMITS = {"en": {"orient": 60, "explain": 90}, "zh": {"orient": 110, "explain": 170}}
"""Words of English, characters of Chinese, a part of a step."""
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.()\[\]>%-]*")
_SECTION = re.compile(r"^## +(\S+) *$", re.M)
_CODE = re.compile(r"`([^`\n]+)`")
_FORBIDDEN = {
    "stray * or `": r"[*`](?! )",
    "heading": r"^#",
    "link or image": r"\]\(",
    "HTML": r"<[a-zA-Z/]",
    "table": r"^\|",
    "quote": r"^>",
}


def measure(lang: str, text: str) -> int:
    """English: words between blanks. Chinese: characters, each run of Latin letters or digits as one."""
    if lang == "en":
        return len(text.split())
    return len(_HAN.findall(text)) + len(_LATIN.findall(text))


def halves(path: Path) -> tuple[str, str]:
    """Front matter and body of a text. Raises LessonError."""
    try:
        parts = path.read_text("utf-8").split("---\n", 2)
    except (OSError, UnicodeDecodeError) as error:
        raise LessonError(f"{path.name} cannot be read.", f"{path}: {error}") from error
    if parts[0] or len(parts) != 3:
        raise LessonError(f"{path.parent.name}/{path.name} has no front matter.", "", "begin it with --- and end it so")
    return parts[1], parts[2]


def sections(body: str) -> dict[str, str]:
    """Step id to the raw text of its section."""
    parts = _SECTION.split(body)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def source_hash(section: str) -> str:
    """What the translation notes of the English section it was made from."""
    return hashlib.sha256(section.encode()).hexdigest()[:12]


def noted_hashes(front: str) -> dict[str, str]:
    """The ``source-hash`` block of a translation's front matter."""
    _, _, block = front.partition("source-hash:\n")
    rows = (line.strip().partition(": ") for line in block.splitlines() if line.startswith("  "))
    return {key: value for key, _, value in rows}


def code_spans(text: str) -> set[str]:
    """What stands between backquotes: the same in every language."""
    return set(_CODE.findall(text))


def markup_faults(text: str) -> list[str]:
    """What goes beyond paragraphs, inline code, strong and lists."""
    bare = re.sub(r"\*\*[^*\n]+\*\*", "", _CODE.sub("", text))
    return [name for name, pattern in _FORBIDDEN.items() if re.search(pattern, bare, re.M)]
