"""What differs between kernels: the list itself, and what comparing with it lets pass and what it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support import ROOT
from tour.lesson import differences as di
from tour.lesson.model import Text, folders, load
from tour.testing.contract import cases
from tour.trace.transcript import Transcript, masked, part

EXPECTED: dict[str, Any] = json.loads((ROOT / "tests/contract/expected-6.1.json").read_text())["answers"]
LANGS = ("en", "zh")
CALLS = ("VHOST_GET_FEATURES() = 0 returned features 1", "VHOST_SET_OWNER() = 0")
BASE = Transcript(CALLS, ("kthread",), {"rx": ((0, 54),), "tx": ()}, {"rx": ((8, "00"),), "tx": ()}, ())
KERNELS = ("6.1.0-56-amd64", "6.12.107+deb13-amd64", "7.3.4", di.EMBEDDED)
PLACES = [(entry, place) for entry in di.listed() for place in entry.step]


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> di.Difference:
    """A list of a single entry: from 6.12 on the worker is another, as lesson 2 tells."""
    entry = di.Difference("it", "6.12", "a.c f()@6.12", Text("One.", "一。"), ["2:own"], ["worker"], {"case": 7})
    monkeypatch.setattr(di, "listed", lambda: (entry,))
    return entry


def test_a_difference_holds_on_its_kernel_and_every_newer_one(one: di.Difference) -> None:
    assert [one.applies(kernel) for kernel in (*KERNELS, "6.9.9", "10.0")] == [False, True, True, False, False, True]
    ours = replace(one, on=di.EMBEDDED)
    assert [ours.applies(kernel) for kernel in KERNELS] == [False, False, False, True]


def test_what_is_listed_is_let_pass_where_it_holds_and_nowhere_else(one: di.Difference) -> None:
    thread = replace(BASE, worker=("thread",))
    assert di.unlike("2", BASE, thread, "6.12.1") == []
    assert di.unlike("2", BASE, thread, "6.1.1") == ["worker: entry 0: kthread / thread"]
    assert di.unlike("2", BASE, thread, di.EMBEDDED) == ["worker: entry 0: kthread / thread"]


def test_what_is_not_listed_is_found_beside_what_is(one: di.Difference) -> None:
    other = replace(BASE, worker=("thread",), calls=(*CALLS, "VHOST_RESET_OWNER() = 0"))
    assert di.unlike("2", BASE, other, "6.12.1") == ["calls: 2 entries / 3 entries"]


def test_what_is_listed_must_occur_in_the_lesson_that_tells_it(one: di.Difference) -> None:
    assert di.unlike("2", BASE, BASE, "6.12.1") == ["it: listed in differences.toml, and did not occur on 6.12.1"]
    assert di.unlike("3", BASE, BASE, "6.12.1") == []


def test_a_call_is_masked_in_what_it_returned_alone() -> None:
    assert part(BASE, "calls.VHOST_GET_FEATURES") == ["features 1"]
    failed = replace(BASE, calls=("VHOST_GET_FEATURES() = EPERM", *CALLS[1:]))
    mask = "calls.VHOST_GET_FEATURES"
    assert masked(BASE, mask) != masked(failed, mask)
    assert masked(BASE, mask) == masked(replace(BASE, calls=(CALLS[0] + "00", CALLS[1])), mask)


@pytest.mark.parametrize("mask", ["used.rx", "written.rx"])
def test_a_queue_is_masked_alone(mask: str) -> None:
    field = mask.partition(".")[0]
    changed = replace(BASE, **{field: {"rx": ((9, "ff"),), "tx": ((1, "1"),)}})
    assert part(BASE, mask) != part(changed, mask)
    assert masked(BASE, mask) == masked(replace(changed, **{field: {"rx": (), "tx": ()}}), mask)
    assert masked(BASE, mask) != masked(changed, mask)


def test_the_answers_of_the_newest_kernel_that_has_some_are_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry(on: str, answer: int) -> di.Difference:
        return di.Difference(on, on, "", Text("", ""), [], [], {"case": answer})

    monkeypatch.setattr(di, "listed", lambda: (entry("7.3", 3), entry("6.12", 2)))
    known = {"case": 1, "other": 0}
    assert [di.answers(known, kernel)["case"] for kernel in KERNELS] == [1, 2, 3, 1]
    assert di.answers(known, "7.4") == {"case": 3, "other": 0}


# -- the list ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", di.listed(), ids=lambda entry: entry.id)
def test_an_entry_is_whole(entry: di.Difference) -> None:
    assert entry.on == di.EMBEDDED or di.version(entry.on) > di.version(di.BASE)
    assert entry.mask or entry.answers
    for mask in entry.mask:
        part(BASE, mask)
    assert "@" in entry.source or (ROOT / entry.source).is_file()
    assert entry.text.en.endswith(".") and entry.text.zh.endswith("。")


@pytest.mark.parametrize("entry", [each for each in di.listed() if each.answers], ids=lambda entry: entry.id)
def test_its_answers_are_other_answers_to_cases_there_are(entry: di.Difference) -> None:
    names = {case.name for case in cases}
    for name, answer in entry.answers.items():
        assert name in names
        assert EXPECTED[name] != answer


def test_identities_are_unique() -> None:
    assert len({entry.id for entry in di.listed()}) == len(di.listed())


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("entry", "place"), PLACES, ids=[f"{entry.id}-{place}" for entry, place in PLACES])
def test_the_lesson_tells_it_by_name(entry: di.Difference, place: str, lang: Any) -> None:
    number, step = place.split(":")
    words = load(number).text(lang, step)
    assert entry.words(lang) in words.orient + words.explain + words.more, f"lessons/*/text.{lang}.md, {place}"


def test_every_place_is_a_step() -> None:
    places = [place.split(":") for _, place in PLACES]
    assert all(number in folders() and step in load(number).step_ids for number, step in places)


def test_a_file_that_cannot_be_understood_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "differences.toml").write_text("format_version = 1\n[[difference]]\nid = 3\n")
    monkeypatch.setattr(di, "root", lambda: tmp_path)
    with pytest.raises(di.LessonError, match="cannot be understood"):
        di.listed.__wrapped__()
