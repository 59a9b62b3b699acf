"""Words on the screen: the same keys and the same fields in both languages."""

from __future__ import annotations

import re
import string

import pytest

from tour.i18n import Lang, default_language, strings, t


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    assert set(strings("en")) ^ set(strings("zh")) == set()


@pytest.mark.parametrize("key", sorted(strings("en")))
def test_a_string_is_there_and_takes_the_same_fields(key: str) -> None:
    english, chinese = strings("en")[key], strings("zh")[key]
    assert english.strip() and chinese.strip()
    assert fields(english) == fields(chinese)
    assert "启动" not in chinese or "kick" not in chinese


def test_fields_are_filled_in_and_an_unknown_key_is_an_error() -> None:
    key = next(key for key, text in strings("en").items() if fields(text) == {"count"})
    assert "7" in t("en", key, count=7)
    with pytest.raises(KeyError):
        t("en", "no.such.key")


@pytest.mark.parametrize(("wanted", "lang"), [("zh_CN.UTF-8", "zh"), ("zh", "zh"), ("de_DE.UTF-8", "en"), ("C", "en")])
def test_language_from_the_environment(monkeypatch: pytest.MonkeyPatch, wanted: str, lang: Lang) -> None:
    monkeypatch.setenv("VHOST_TOUR_LANG", wanted)
    assert default_language() == lang


def test_keys_are_dotted_words() -> None:
    words = [key for key in strings("en") if not re.fullmatch(r"[A-Za-z0-9_.]+", key)]
    assert words == []
