"""What a rule has to say: where, what, why, and how to mend it, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from tour.i18n import Lang, local, t

SCHEMA = "vhost-tour/check/1"


class Finding(msgspec.Struct, frozen=True):
    """One fault at ``line`` (from 1) of ``file``; ``rule`` names its sentences ``dev.rule.RULE`` in the strings, and
    ``values`` fills them in."""

    file: Path
    line: int
    rule: str
    values: dict[str, str] = {}

    def what(self, lang: Lang) -> str:
        """What is wrong."""
        return self._say(lang, "what")

    def why(self, lang: Lang) -> str:
        """Why that is a fault."""
        return self._say(lang, "why")

    def fix(self, lang: Lang) -> str:
        """What mends it."""
        return self._say(lang, "fix")

    def _say(self, lang: Lang, part: str) -> str:
        """One of its sentences, errors among the values in ``lang`` too."""
        return t(lang, f"dev.rule.{self.rule}.{part}", **{key: local(lang, text) for key, text in self.values.items()})

    def shown(self, lang: Lang) -> str:
        """As a linter's lines: ``file:line: what``, then why and fix."""
        head = f"{shown_path(self.file)}:{self.line}: {self.what(lang)} [{self.rule}]"
        return f"{head}\n    {self.why(lang)}\n    {t(lang, 'cli.mend', fix=self.fix(lang))}"

    def plain(self, lang: Lang) -> dict[str, object]:
        """The same for programs."""
        words = {"what": self.what(lang), "why": self.why(lang), "fix": self.fix(lang)}
        return {"file": shown_path(self.file), "line": self.line, "rule": self.rule, **words}


def shown_path(path: Path) -> str:
    """As short as it is unambiguous from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def line_of(path: Path, *needles: str) -> int:
    """The line where the last needle stands, each looked for from where the one before was found; 1 when none is."""
    lines, at = _lines(path), 0
    for needle in needles:
        at = next((number for number in range(at, len(lines)) if needle in lines[number]), at)
    return at + 1


def line_matching(path: Path, pattern: str) -> int:
    """The first line in which the regular expression is found, 1 when there is none."""
    return next((number for number, line in enumerate(_lines(path), 1) if re.search(pattern, line)), 1)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
