"""Rows and sets that share with their predecessor: the same as a tuple and a frozenset, whatever is done to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tour.trace.tables import CHUNK, Slots, Table

SIZES = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])


@given(SIZES, st.lists(st.tuples(st.integers(0, 3 * CHUNK), st.integers()), max_size=20))
def test_a_table_is_a_tuple_that_is_changed_by_copy(size: int, changes: list[tuple[int, int]]) -> None:
    table: Table[int | None] = Table.filled(size, None)
    plain: list[int | None] = [None] * size
    for index, row in changes:
        if index >= size:
            with pytest.raises(ValueError, match="slot"):
                table.put(index, row)
            continue
        before, kept = table, tuple(table)
        table = table.put(index, row)
        plain[index] = row
        assert tuple(before) == kept
    made = Table(plain)
    assert list(table) == plain and len(table) == size and table == tuple(plain) and table == made
    assert [made[index] for index in range(size)] == [table[index] for index in range(size)] == plain
    assert table[1:5] == tuple(plain[1:5]) and hash(table) == hash(made)
    assert size == 0 or (table[0], table[-1]) == (plain[0], plain[-1])


def test_a_row_that_is_not_there_is_an_error() -> None:
    table = Table([1, 2, 3])
    for index in (3, -4, 10**30):
        with pytest.raises(IndexError):
            table[index]
    with pytest.raises(ValueError, match="slot -1 of 3"):
        table.put(-1, 0)
    assert table != Table([1, 2]) and table != 7 and repr(table) == "(1, 2, 3)"


def test_a_change_copies_one_chunk() -> None:
    table: Table[int] = Table.filled(32768, 0)
    changed = table.put(5, 1)
    assert sum(a is not b for a, b in zip(table._chunks, changed._chunks, strict=True)) == 1


NUMBERS = st.frozensets(st.integers(0, 0xFFFF), max_size=20)


@given(NUMBERS, NUMBERS)
def test_slots_are_a_set(one: frozenset[int], other: frozenset[int]) -> None:
    slots = Slots(one)
    assert slots == one and sorted(slots) == sorted(one) and len(slots) == len(one)
    assert slots | other == one | other and slots - other == one - other and slots | Slots(other) == one | other
    assert (slots <= other) is (one <= other) and hash(slots) == hash(Slots(one))
    assert all(number in slots for number in one) and 70_000 not in slots


@pytest.mark.parametrize("number", [-1, 1 << 16, 1 << 80])
def test_what_is_no_slot_is_no_member(number: int) -> None:
    with pytest.raises(ValueError, match="slot"):
        Slots([number])
    assert Slots() | {number} == Slots() and number not in Slots([1]) and repr(Slots([2, 1])) == "{1, 2}"
