"""docs/article.toml: every statement of the article has its form, a source, and a place where it is shown."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.support import ROOT
from tour.dev import structure
from tour.dev.sources import faulty
from tour.lesson import model
from tour.lesson.model import Text

STATEMENTS: list[dict[str, Any]] = tomllib.loads((ROOT / "docs/article.toml").read_text("utf-8"))["statement"]
PARTS = ("overview", "model", "in-kernel", "userspace-interface", "where", "comment", "reply")
FIELDS = {"id", "part", "says", "quote", "quote_zh", "then", "now", "today", "source", "shown"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")

every = pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: row["id"])


def test_each_statement_is_there_once_and_each_part_of_the_article_has_some() -> None:
    ids = [row["id"] for row in STATEMENTS]
    assert len(ids) == len(set(ids)) > 40
    assert list(dict.fromkeys(row["part"] for row in STATEMENTS)) == list(PARTS), "in the article's order"


@every
def test_a_statement_is_whole(row: dict[str, Any]) -> None:
    assert set(row) - {"wrong"} == FIELDS
    assert {row["then"], row["now"]} <= {"yes", "partly", "no"}
    assert row["quote"] or row["quote_zh"]
    for name in ("says", "today", "wrong"):
        if name in row:
            text = Text(**row[name])
            assert text.en and CHINESE.search(text.zh) and not CHINESE.search(re.sub(r"\([^)]*\)", "", text.en)), name


@every
def test_a_statement_has_a_source(row: dict[str, Any]) -> None:
    assert faulty(row["source"]) == []


@every
def test_where_it_is_shown_there_is_such_a_step(row: dict[str, Any]) -> None:
    assert row["shown"]
    for place in row["shown"]:
        planned = re.fullmatch(r"planned: lesson (\d+)", place)
        if planned:
            lesson = structure.course()[planned[1]]
            assert not lesson["ready"], f"lesson {planned[1]} is ready: name the step that shows it"
        else:
            number, _, step = place.removeprefix("lesson ").partition(":")
            assert step in model.load(number).step_ids, place
