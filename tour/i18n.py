"""UI strings by key, in English and Simplified Chinese, from ``strings/en.toml`` and ``strings/zh.toml``.

Errors and progress are said in English where they arise, on whatever side of a wire that is; ``local`` gives the
Chinese of such sentences where a person reads them, from ``strings/errors.zh.toml``.
"""

from __future__ import annotations

import locale
import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

Lang = Literal["en", "zh"]

LONGEST = 4000
"""Characters beyond which a line is left as it is."""
LINES = 50
"""Lines of a text that are looked at: what is ours comes first, then perhaps somebody's last words."""
DEEPEST = 3
"""How deep words of ours may lie in fields of words of ours."""
CUTS = 8
"""How many ends of sentences are tried as the end of a known one."""
_FIELD = re.compile(r"\{(\w+)(?::([dt]))?\}")
_NUMBER = re.compile(r"-?(0x[0-9a-f]+|[0-9]+(\.[0-9]+)?)")


@cache
def strings(lang: Lang) -> dict[str, str]:
    """All strings of one language, keys flattened with dots."""
    text = resources.files("tour").joinpath(f"strings/{lang}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", str(value)))
    return pairs


def t(lang: Lang, key: str, /, **values: Any) -> str:
    """The string ``key`` in ``lang`` with ``{name}`` filled in. Raises KeyError for an unknown key."""
    return strings(lang)[key].format(**values)


def default_language() -> Lang:
    """From VHOST_TOUR_LANG, else the locale's messages: zh* is Chinese, anything else English."""
    wanted = os.environ.get("VHOST_TOUR_LANG") or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES")
    wanted = wanted or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "zh" if wanted.lower().startswith("zh") else "en"


@dataclass(frozen=True)
class Template:
    """A sentence with fields: ``literals`` around ``names`` and ``kinds``, so there is one literal more.

    ``{name}`` is any text, ``{name:d}`` a number, ``{name:t}`` words that are translated in turn.
    """

    literals: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Template:
        """Read the braces."""
        parts = _FIELD.split(text)
        return cls(tuple(parts[::3]), tuple(parts[1::3]), tuple(kind or "" for kind in parts[2::3]))

    def match(self, text: str) -> dict[str, str] | None:
        """The fields of ``text`` if it is this sentence; each is as short as can be, and none is empty.

        Takes time linear in the text: what follows a field is looked for once, never again.
        """
        first, *between, last = self.literals
        if not text.startswith(first) or not text.endswith(last):
            return None
        at, end = len(first), len(text) - len(last)
        values = []
        for literal in between:
            found = text.find(literal, at + 1, end)
            if found < 0:
                return None
            values.append(text[at:found])
            at = found + len(literal)
        values.append(text[at:end])
        return dict(zip(self.names, values, strict=True)) if self._fits(values) else None

    def _fits(self, values: list[str]) -> bool:
        return all(
            value and (kind != "d" or _NUMBER.fullmatch(value)) for value, kind in zip(values, self.kinds, strict=True)
        )

    def fill(self, values: dict[str, str]) -> str:
        """The sentence with its fields filled in."""
        told = [literal + values[name] for literal, name in zip(self.literals, self.names, strict=False)]
        return "".join(told) + self.literals[-1]


@cache
def said() -> dict[str, str]:
    """Every known English sentence (a template) and its Chinese, of all modules."""
    text = resources.files("tour").joinpath("strings/errors.zh.toml").read_text("utf-8")
    return {english: chinese for module in tomllib.loads(text).values() for english, chinese in module.items()}


@cache
def _templates() -> list[tuple[Template, Template]]:
    """Those with fields, the most particular first."""
    pairs = [(Template.of(english), Template.of(chinese)) for english, chinese in said().items() if "{" in english]
    return sorted(pairs, key=lambda pair: -sum(map(len, pair[0].literals)))


@lru_cache(maxsize=256)
def local(lang: Lang, text: str) -> str:
    """An English sentence of ours, or several, in ``lang``; what is not ours (a kernel's words, a path) stays."""
    if lang == "en":
        return text
    lines = text.split("\n", LINES)
    told = [_line(line, 0) if len(line) <= LONGEST else line for line in lines[:LINES]]
    return "\n".join(told + lines[LINES:])


def _line(text: str, depth: int) -> str:
    """Sentence after sentence, as far as they are known."""
    told = ""
    while text:
        whole = _known(text, depth)
        if whole is not None:
            return told + whole
        head, text = _first(text, depth)
        told += head
    return told


def _first(text: str, depth: int) -> tuple[str, str]:
    """The first sentence, translated, and the rest; all of ``text`` as it is when none ends a known one."""
    at = -1
    for _ in range(CUTS):
        at = text.find(". ", at + 1)
        if at < 0:
            break
        known = _known(text[: at + 1], depth)
        if known is not None:
            return known, text[at + 2 :]
    return text, ""


def _known(text: str, depth: int) -> str | None:
    """The Chinese of one sentence, None if it is not one of ours."""
    if text in said():
        return said()[text]
    for english, chinese in _templates():
        values = english.match(text)
        if values is not None:
            deep = {name for name, kind in zip(english.names, english.kinds, strict=True) if kind == "t"}
            words = {n: _line(v, depth + 1) if n in deep and depth < DEEPEST else v for n, v in values.items()}
            return chinese.fill(words)
    return None
