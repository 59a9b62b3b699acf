"""The rows: every one has its words, its module, and a minimum from the issue; pairs in alternating order."""

from __future__ import annotations

import sys
import types
from typing import get_args

import pytest

from tour.bench.plot import word
from tour.bench.rows import ROWS, Row, chosen, measure
from tour.errors import CapabilityMissing, TimedOut, UsageError
from tour.i18n import Lang


def test_every_row_has_its_words_in_both_languages_and_a_class() -> None:
    for lang in get_args(Lang):
        for row in ROWS:
            assert word(lang, "row", row.name) and word(lang, "unit", row.unit)
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_rows_are_chosen_by_name_in_the_benchs_order() -> None:
    assert chosen([]) == list(ROWS)
    assert [row.name for row in chosen(["ring", "tx-tap"])] == ["tx-tap", "ring"]
    with pytest.raises(UsageError, match="no row 'txtap'"):
        chosen(["txtap"])


class Fake:
    """A pair that keeps the order of what it was asked."""

    peer_name = "peer"
    asked: list[str] = []
    error: Exception | None = None
    closed = 0

    def __init__(self) -> None:
        Fake.asked = []

    def ours(self) -> float:
        Fake.asked.append("ours")
        if self.error:
            raise self.error
        return 9.0

    def peer(self) -> float:
        Fake.asked.append("peer")
        return 10.0

    def more(self) -> dict[str, float]:
        return {"p50": 1.0}

    def close(self) -> None:
        Fake.closed += 1


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> Row:
    module = types.ModuleType("tour.bench.fake")
    module.Fake = Fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tour.bench.fake", module)
    monkeypatch.setattr(Fake, "error", None)
    return Row("tx-tap", "packets/s", "fake:Fake", 0.85, 1.0)


def test_rounds_alternate_and_the_first_only_warms_up(row: Row) -> None:
    found = measure(row, 4, iter(range(9)).__next__)
    assert Fake.asked == ["peer", "ours", "ours", "peer"] * 2 + ["peer", "ours"]
    assert found.ours == [9.0] * 4 and found.peer == [10.0] * 4 and found.holds and found.more == {"p50": 1.0}


@pytest.mark.parametrize("error", [CapabilityMissing("dpdk", "Not there.", "", "apt"), TimedOut("Stuck.")])
def test_a_row_that_cannot_be_measured_says_so_and_is_taken_down(
    row: Row, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fake, "error", error)
    before = Fake.closed
    found = measure(row, 3, iter(range(9)).__next__)
    assert found.lacking is not None and found.lacking.what == str(error).split("\n")[0]
    assert found.failed is isinstance(error, TimedOut) and found.ratio is None and Fake.closed == before + 1
