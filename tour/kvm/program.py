"""Guest programs of ours: machine code of real mode, line by line with its text.

The text is what objdump makes of the bytes (a test holds the two together); no assembler is needed to run them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tour.trace import events as ev


class Line(NamedTuple):
    """One instruction: its bytes in hexadecimal, its text, and the key of a lesson's word that says what it is for."""

    code: str
    text: str
    word: str = ""


class Program(NamedTuple):
    """``lines`` to be put at the guest address ``at``; it ends by writing to the port ``done``."""

    name: str
    at: int
    done: int
    lines: tuple[Line, ...]

    @property
    def code(self) -> bytes:
        """All bytes."""
        return b"".join(bytes.fromhex(line.code) for line in self.lines)

    def told(self, found: bytes) -> ev.Program:
        """The program as it lies in memory. Raises ValueError if ``found``, the bytes there, are others."""
        if found != self.code:
            raise ValueError("other bytes lie there")
        rows, gpa = [], self.at
        for line in self.lines:
            rows.append(ev.Instruction(gpa, line.code, line.text, line.word))
            gpa += len(line.code) // 2
        return ev.Program(self.name, rows)


class Jump(NamedTuple):
    """A jump within 127 bytes to a label, or a loop: its one-byte opcode in hexadecimal, its name."""

    opcode: str
    name: str
    label: str
    word: str = ""


class Label(NamedTuple):
    """A place that jumps lead to."""

    name: str


def assemble(name: str, at: int, done: int, parts: Iterable[Line | Jump | Label]) -> Program:
    """A program of lines, with jumps to labels. Raises ValueError for a jump too far, KeyError for an unknown label."""
    listed, places, gpa = list(parts), dict[str, int](), at
    for part in listed:
        if isinstance(part, Label):
            places[part.name] = gpa
        else:
            gpa += 2 if isinstance(part, Jump) else len(part.code) // 2
    lines, gpa = [], at
    for part in listed:
        if isinstance(part, Label):
            continue
        line = _resolved(part, gpa, places) if isinstance(part, Jump) else part
        lines.append(line)
        gpa += len(line.code) // 2
    return Program(name, at, done, tuple(lines))


def _resolved(jump: Jump, gpa: int, places: dict[str, int]) -> Line:
    distance = places[jump.label] - (gpa + 2)
    if not -128 <= distance <= 127:
        raise ValueError(f"{jump.label} is {distance} bytes away")
    return Line(f"{jump.opcode}{distance & 0xFF:02x}", f"{jump.name} {places[jump.label]:#x}", jump.word)


def low_high(value: int) -> str:
    """A 16-bit number as instructions hold it: two bytes, little-endian, in hexadecimal."""
    return value.to_bytes(2, "little").hex()
