"""Search: titles in both languages, step ids, terms."""

from __future__ import annotations

import pytest

from tour.i18n import Lang
from tour.lesson.course import Place, course
from tour.lesson.search import MOST, search


def names(query: str, lang: Lang = "en") -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in search(query, lang)]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("query", ["First packet out", "第一个发出", "packet OUT first", "first_packet_out"])
def test_a_lesson_by_title_in_either_language(query: str, lang: Lang) -> None:
    assert ("lesson", "8") in names(query, lang)


def test_a_step_by_its_id_leads_to_it() -> None:
    found = next(one for one in search("8:publish", "en") if one.kind == "step")
    assert found.place == Place("8", 3) and "First packet out" in found.words


def test_a_planned_lesson_is_found_and_leads_nowhere() -> None:
    planned = next(entry for entry in course().entries if not entry.ready)
    (found,) = (one for one in search(planned.title.zh, "en") if one.kind == "lesson")
    assert found.place is None and found.words == planned.title.en


@pytest.mark.parametrize(("lang", "name"), [("en", "descriptor (描述符)"), ("zh", "描述符 (descriptor)")])
def test_a_term_says_what_it_means_and_where_it_is_used(lang: Lang, name: str) -> None:
    (found,) = (one for one in search("descriptor 描述符", lang) if one.name == name)
    assert found.kind == "term" and len(found.words) > 10 and found.place is not None


def test_nothing_for_nothing() -> None:
    assert search("", "en") == search("   ", "zh") == search("xyzzy", "en") == ()


def test_a_list_ends() -> None:
    assert len(search("e", "en")) == MOST
