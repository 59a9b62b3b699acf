"""Words measured in cells: strings of this view's table, cutting, wrapping with the rules of Chinese lines."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from tour.i18n import Lang, t
from tour.view.canvas import plain, width_of

NOT_FIRST = "，。、；：？！）」』”’》〉】…,.;:?!)]}%"
NOT_LAST = "（「『“‘《〈【([{"
_PIECE = re.compile(r"\s+|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+|.", re.DOTALL)


def tr(lang: Lang, key: str, /, **values: Any) -> str:
    """The string ``view.key`` of the strings table. Raises KeyError for an unknown key."""
    return t(lang, f"view.{key}", **values)


_BETWEEN_HAN = re.compile(r"(?<=[\u4e00-\u9fff）]) (?=[\u4e00-\u9fff])")


def tight(text: str) -> str:
    """Without the blanks that stand between two Chinese words where one of them was filled in."""
    return _BETWEEN_HAN.sub("", text)


def cut(text: str, room: int) -> str:
    """``text`` in at most ``room`` cells, its end replaced by an ellipsis when it is longer."""
    if width_of(text) <= room:
        return text
    out = ""
    used = 0
    for char in plain(text):
        if used + width_of(char) > room - 1:
            break
        out += char
        used += width_of(char)
    return out + "…" if room > 0 else ""


def pad(text: str, room: int) -> str:
    """``text`` cut or filled with blanks to exactly ``room`` cells."""
    text = cut(text, room)
    return text + " " * (room - width_of(text))


@lru_cache(maxsize=512)
def wrap(text: str, room: int) -> tuple[str, ...]:
    """``text`` in lines of at most ``room`` cells; newlines are kept, Latin words are not broken unless longer
    than a line, and no line begins with closing punctuation."""
    room = max(room, 4)
    lines: list[str] = []
    for paragraph in text.strip().split("\n"):
        lines += _wrap_paragraph(plain(paragraph), room)
    return tuple(lines)


def folded(line: str, room: int) -> tuple[str, ...]:
    """A line of code in lines of at most ``room`` cells: its indentation is kept, what goes on stands further in."""
    line = plain(line).rstrip()
    indent = " " * min(len(line) - len(line.lstrip()), room // 2)
    first, *rest = wrap(line, room - len(indent)) or ("",)
    if not rest:
        return (indent + first,)
    deeper = indent + "    "
    return (indent + first, *(deeper + part for part in wrap(" ".join(rest), room - len(deeper))))


def _wrap_paragraph(text: str, room: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for unit in _units(text):
        fits = width_of(line) + width_of(unit.rstrip()) <= room
        if line and not fits:
            lines.append(line.rstrip())
            line = ""
        if not line:
            unit = unit.lstrip() if lines else unit
        while width_of(unit.rstrip()) > room:
            head = _head(unit, room)
            lines.append(head)
            unit = unit[len(head) :]
        line += unit
    return [*lines, line.rstrip()]


def _units(text: str) -> list[str]:
    """Pieces between which a line may end, punctuation glued to what it belongs to."""
    units: list[str] = []
    for piece in _PIECE.findall(text):
        glued = units and (piece[0] in NOT_FIRST or units[-1][-1] in NOT_LAST)
        if glued or (units and piece.isspace()):
            units[-1] += piece
        else:
            units.append(piece)
    return units


def _head(text: str, room: int) -> str:
    """The beginning of ``text`` that fits, cut before a character that may begin a line if there is one."""
    used = 0
    for index, char in enumerate(text):
        used += width_of(char)
        if used > room:
            ends = [end for end in range(index, 0, -1) if text[end] not in NOT_FIRST]
            return text[: ends[0] if ends else index]
    return text
