"""The badge says which machine the agent runs on, short enough for the head of the smallest screen."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.view.story import moment
from tour.i18n import Lang
from tour.view.canvas import width_of
from tour.view.screen import compose
from tour.view.ui import Ui


def head(host: str, width: int, height: int, lang: Lang = "en", kind: str = "kernel") -> str:
    found = moment("publish", "observe", lang)
    badge = replace(found.badge, kind=kind, host=host, into="kernel")
    return compose(replace(found, badge=badge), Ui(), width, height).text_rows()[0]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 48)])
@pytest.mark.parametrize(
    ("host", "shown"),
    [("box", "box"), ("me@box.example.org", "box"), ("root@10.0.0.17", "10.0.0.17"), ("fe80::1", "fe80::1"),
     ("a-name-longer-than-any-head", "a-name-longer")],
)  # fmt: skip
def test_the_machine_is_named(host: str, shown: str, width: int, height: int) -> None:
    row = head(host, width, height)
    assert f"LIVE  vhost-net, Linux 6.12 on {shown}" in row
    assert width_of(row) <= width and "publish" in row


@pytest.mark.parametrize("kind", ["back", "ended"])
def test_it_is_named_too_when_one_looks_back_or_the_agent_is_gone(kind: str) -> None:
    assert " on box" in head("box", 160, 48, kind=kind)


def test_it_is_named_in_chinese_and_this_machine_is_not() -> None:
    assert "在 box" in head("box", 80, 24, "zh")
    assert " on " not in head("", 160, 48)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 48)])
@pytest.mark.parametrize(("lang", "words"), [("en", "LIVE  embedded device (ours, C)"), ("zh", "内嵌设备（自制，C）")])
def test_the_engine_is_named(lang: Lang, words: str, width: int, height: int) -> None:
    row = head("", width, height, lang, kind="engine")
    assert words in row and width_of(row) <= width
