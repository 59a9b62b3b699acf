"""Sentences of both languages, and the hash that changes with any of their characters."""

from __future__ import annotations

import pytest

from tour.dev.sentences import is_question, sentence_hash, sentences


@pytest.mark.parametrize(
    ("lang", "text", "wanted"),
    [
        ("en", "One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("en", "On 6.1, spec 2.7.4. vhost reads it.", ["On 6.1, spec 2.7.4.", "vhost reads it."]),
        ("en", "It reads `a. b`. Then (so it is.) it ends.", ["It reads `a. b`.", "Then (so it is.)", "it ends."]),
        ("en", "Some words, e.g. these, i.e. two. Etc. is one.", ["Some words, e.g. these, i.e. two.", "Etc. is one."]),
        ("en", "It is a kernel **thread.** Look.", ["It is a kernel **thread.**", "Look."]),
        ("en", "A line\nthat goes on.\n\nA paragraph", ["A line that goes on.", "A paragraph"]),
        ("en", "Two things:\n- the first\n- the second. And more.", ["Two things:", "the first", "the second.",
                                                                   "And more."]),
        ("zh", "一句。两句！三句？", ["一句。", "两句！", "三句？"]),
        ("zh", "他说“好。”然后走了。", ["他说“好。”", "然后走了。"]),
        ("zh", "读 `a。b`，内核 6.1 如此。写 `avail.idx`。", ["读 `a。b`，内核 6.1 如此。", "写 `avail.idx`。"]),
        ("en", "", []),
    ],
)  # fmt: skip
def test_a_text_is_split(lang: str, text: str, wanted: list[str]) -> None:
    assert sentences(lang, text) == wanted


def test_every_word_is_in_some_sentence() -> None:
    text = "A casino. It reads, e.g. `x`\nand more\n\n- an item. Two?\n- another"
    assert " ".join(sentences("en", text)).split() == [word for word in text.split() if word != "-"]


def test_questions_are_known() -> None:
    assert is_question("What now?") and is_question("是几？") and is_question("（是几？）")
    assert not is_question("So it is.") and not is_question("是 8。")


def test_a_hash_changes_with_any_character() -> None:
    assert sentence_hash("a.") == sentence_hash("a.") != sentence_hash("a. ")
    assert len(sentence_hash("a.")) == 12
