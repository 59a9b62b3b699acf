"""Cutting and wrapping in cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tour.view.canvas import plain, width_of
from tour.view.text import NOT_FIRST, cut, pad, wrap

WORDS = st.text("abc 环描述，。(）used.idx", max_size=80)


def test_chinese_breaks_anywhere_but_before_closing_punctuation() -> None:
    assert wrap("一二三四，五", 8) == ("一二三", "四，五")
    assert wrap("驱动把 avail.idx 改为 1。", 12) == ("驱动把", "avail.idx 改", "为 1。")


def test_latin_words_stay_whole_unless_longer_than_a_line() -> None:
    assert wrap("the used ring", 8) == ("the used", "ring")
    assert wrap("abcdefghij", 4) == ("abcd", "efgh", "ij")


def test_newlines_are_kept() -> None:
    assert wrap("one\ntwo", 20) == ("one", "two")


def test_cut_and_pad_count_cells() -> None:
    assert cut("描述符", 5) == "描述…"
    assert pad("描述符", 8) == "描述符  "
    assert width_of(pad("描述符", 4)) == 4


@given(WORDS, st.integers(4, 30))
def test_lines_fit_and_no_word_is_lost(text: str, room: int) -> None:
    lines = wrap(text, room)
    assert all(width_of(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(plain(text).split())


@given(st.lists(st.sampled_from(["环", "描述", "，环", "ring", "（环）"]), min_size=1, max_size=40), st.integers(8, 30))
def test_no_line_begins_with_closing_punctuation(parts: list[str], room: int) -> None:
    lines = wrap("".join(parts), room)
    assert all(line[0] not in NOT_FIRST for line in lines[1:] if line)
