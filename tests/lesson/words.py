"""How the lessons' words are counted and how a stale translation is noticed."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

LIMITS = {"en": {"orient": 60, "explain": 90}, "zh": {"orient": 110, "explain": 170}}
"""Words of English, characters of Chinese."""
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.()\[\]>%-]*")
_SECTION = re.compile(r"^## +(\S+) *$", re.M)


def measure(lang: str, text: str) -> int:
    """English: words between blanks. Chinese: characters, each run of Latin letters or digits as one."""
    if lang == "en":
        return len(text.split())
    return len(_HAN.findall(text)) + len(_LATIN.findall(text))


def halves(path: Path) -> tuple[str, str]:
    """Front matter and body of a text."""
    parts = path.read_text("utf-8").split("---\n", 2)
    assert parts[0] == "" and len(parts) == 3, f"{path} has no front matter"
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


def toml(path: Path) -> dict[str, Any]:
    """A TOML file's contents."""
    return tomllib.loads(path.read_text("utf-8"))


def markup_faults(text: str) -> list[str]:
    """What goes beyond paragraphs, inline code, strong and lists."""
    bare = re.sub(r"`[^`\n]+`", "", text)
    bare = re.sub(r"\*\*[^*\n]+\*\*", "", bare)
    found = [name for name, pattern in _FORBIDDEN.items() if re.search(pattern, bare, re.M)]
    return found


_FORBIDDEN = {
    "stray * or `": r"[*`](?! )",
    "heading": r"^#",
    "link or image": r"\]\(",
    "HTML": r"<[a-zA-Z/]",
    "table": r"^\|",
    "quote": r"^>",
}
