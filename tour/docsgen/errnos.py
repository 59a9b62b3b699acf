"""The page of refusals: what each call's errno means, what to do then, and where the kernel was seen to say it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from tour.docsgen.filling import fill
from tour.errors import UsageError
from tour.i18n import Lang, strings, t
from tour.lesson.model import Text, read_toml

MARK = "<!-- errnos -->"
CASES_MOST = 3
ALIASES = {"ENOTSUP": "EOPNOTSUPP"}
"""One number, two names [errno(3)]: Python says the one, the kernel's source the other."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refusal: of one call, of several (comma), of ``open``, or of ``any``. ``means`` stands in where the lessons
    have no sentence; ``seen`` are recorded cases whose names do not begin with the call; ``unseen`` says that no
    recorded case is of this, whatever their names."""

    call: str
    errno: str
    source: str
    fix: Text
    means: Text | None = None
    seen: list[str] = []
    unseen: bool = False

    @property
    def calls(self) -> list[str]:
        """The calls, one by one."""
        return self.call.split(", ")


def rows(path: Path) -> list[Row]:
    """The rows of ``errnos.toml``. Raises LessonError, UsageError."""
    try:
        return msgspec.convert(read_toml(path)["row"], list[Row])
    except (KeyError, msgspec.ValidationError) as error:
        raise UsageError(f"{path.name} is not a table of refusals.", str(error)) from error


def recorded(path: Path) -> dict[str, list[str]]:
    """What the kernel answered in each of the contract's cases, by the case's name: one errno, or one a call."""
    answers = json.loads(path.read_text("utf-8"))["answers"]
    told = {name: answer if isinstance(answer, list) else [answer] for name, answer in answers.items()}
    return {name: [ALIASES.get(str(code), str(code)) for code in codes] for name, codes in told.items()}


def fill_errnos(page: Path, source: Path, answers: Path, lang: Lang) -> None:
    """Put the refusals into ``page``, a section a call. Raises UsageError."""
    found, seen = rows(source), recorded(answers)
    lines = []
    for call in dict.fromkeys(call for row in found for call in row.calls):
        title = t(lang, "docsgen.errnos.any") if call == "any" else f"`{call}`"
        lines += ["", f"## {title} {{#{call}}}", ""]
        lines += [_told(row, call, seen, lang) for row in found if call in row.calls]
    fill(page, MARK, "\n".join(lines))


def _told(row: Row, call: str, seen: dict[str, list[str]], lang: Lang) -> str:
    found = cases(row, call, seen)
    shown = ", ".join(f"`{name}`" for name in found[:CASES_MOST])
    proof = f" {t(lang, 'docsgen.errnos.seen', n=len(found), cases=shown)}" if found else ""
    told = t(lang, "docsgen.errnos.row", errno=row.errno, means=means(row, call, lang), fix=row.fix.get(lang))
    return f"* {told}<br><small>{row.source}.{proof}</small>"


def means(row: Row, call: str, lang: Lang) -> str:
    """What it means, in the lessons' own words where they have some."""
    said = strings(lang).get(f"view.say.errno.{call}.{row.errno}", t(lang, f"view.say.errno.{row.errno}"))
    return row.means.get(lang) if row.means else said


def cases(row: Row, call: str, seen: dict[str, list[str]]) -> list[str]:
    """Names of the recorded cases in which the kernel said just this to that call."""
    if row.unseen:
        return []
    own = [name for name in row.seen if row.errno in seen[name]]
    return own + [name for name, codes in seen.items() if codes[:1] == [row.errno] and concerns(call, name)]


def concerns(call: str, case: str) -> bool:
    """Whether the recorded case of that name is about ``call``."""
    return call == "any" or case.replace(" ", "_").startswith(call.removeprefix("VHOST_").lower())
