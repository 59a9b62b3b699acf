"""Rows and sets of a ring as a state holds them: never changed, cheap to derive the next one from.

A ring has up to 32768 slots and a recording many thousand stores. A tuple copied at each of them costs time and, in
keyframes, memory; these share with their predecessor all but the few rows around the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
CHUNK = 64


class Table(Sequence[T], Generic[T]):
    """An immutable sequence of rows; ``put`` gives the next one. Equal to any sequence of the same rows."""

    __slots__ = ("_chunks", "_size")

    def __init__(self, rows: Iterable[T] = ()) -> None:
        every = tuple(rows)
        self._size = len(every)
        self._chunks = tuple(every[at : at + CHUNK] for at in range(0, len(every), CHUNK))

    @classmethod
    def filled(cls, size: int, row: T) -> Table[T]:
        """``size`` times the same row, its chunks shared."""
        table = cls()
        table._size = size
        whole, rest = divmod(size, CHUNK)
        table._chunks = ((row,) * CHUNK,) * whole + (((row,) * rest,) if rest else ())
        return table

    def put(self, index: int, row: T) -> Table[T]:
        """The table with that row in its place. Raises ValueError where there is no such row."""
        if not 0 <= index < self._size:
            raise ValueError(f"slot {index} of {self._size}")
        at, within = divmod(index, CHUNK)
        chunk = self._chunks[at]
        table: Table[T] = Table()
        table._size = self._size
        table._chunks = (*self._chunks[:at], (*chunk[:within], row, *chunk[within + 1 :]), *self._chunks[at + 1 :])
        return table

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        index += self._size if index < 0 else 0
        if not 0 <= index < self._size:
            raise IndexError(index)
        return self._chunks[index // CHUNK][index % CHUNK]

    def __iter__(self) -> Iterator[T]:
        for chunk in self._chunks:
            yield from chunk

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Table):
            return self._size == other._size and self._chunks == other._chunks
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


class Slots(Set[int]):
    """An immutable set of slot numbers 0..65535, a bit for each: 8 KiB at most, whatever it holds."""

    __slots__ = ("_bits",)

    def __init__(self, numbers: Iterable[int] = (), bits: int = 0) -> None:
        for number in numbers:
            if not 0 <= number <= 0xFFFF:
                raise ValueError(f"slot {number}")
            bits |= 1 << number
        self._bits = bits

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and 0 <= number <= 0xFFFF and bool(self._bits >> number & 1)

    def __iter__(self) -> Iterator[int]:
        return (number for number, bit in enumerate(reversed(f"{self._bits:b}")) if bit == "1")

    def __len__(self) -> int:
        return self._bits.bit_count()

    def __or__(self, other: Set[Any]) -> Slots:
        return Slots(bits=self._bits | _bits_of(other))

    def __sub__(self, other: Set[Any]) -> Slots:
        return Slots(bits=self._bits & ~_bits_of(other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Set) and (
            self._bits == other._bits if isinstance(other, Slots) else set(self) == set(other)
        )

    def __hash__(self) -> int:
        return self._hash()

    def __repr__(self) -> str:
        return f"{{{', '.join(map(str, self))}}}"


def _bits_of(numbers: Set[Any]) -> int:
    if isinstance(numbers, Slots):
        return numbers._bits
    bits = 0
    for number in numbers:
        bits |= 1 << number if isinstance(number, int) and 0 <= number <= 0xFFFF else 0
    return bits
