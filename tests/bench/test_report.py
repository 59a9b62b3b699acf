"""What the bench makes of figures: intervals, verdicts, a report that can be read again."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
import pytest

from tour.bench.plot import figure, number, svg, verdict
from tour.bench.report import Interval, Lacking, Report, Result, begun, interval, judge, percentile, read
from tour.errors import UsageError


def result(ours: list[float], peer: list[float], at_least: float | None = 0.85) -> Result:
    return judge(Result("tx-tap", "packets/s", "peer", at_least, 1.0, ours, peer))


def test_the_interval_holds_the_median_and_is_the_same_each_time() -> None:
    random = Random(7)
    values = [random.gauss(1.0, 0.05) for _ in range(25)]
    found = interval(values)
    assert found == interval(values) and found.low < found.median < found.high
    assert found.low > min(values) and found.high < max(values)
    assert interval([2.0, 2.0, 2.0]) == Interval(2.0, 2.0, 2.0)
    with pytest.raises(ValueError):
        interval([])


def test_95_of_100_intervals_hold_the_true_median() -> None:
    random = Random(3)
    held = 0
    for _ in range(60):
        found = interval([random.gauss(1.0, 0.1) for _ in range(21)])
        held += found.low <= 1.0 <= found.high
    assert held >= 52


def test_the_ratio_is_taken_round_by_round() -> None:
    """A machine that slows down for both in some rounds changes the rates, not the ratio."""
    slow = [1.0, 0.2, 0.5, 1.0, 0.1]
    judged = result([0.9e6 * s for s in slow], [1e6 * s for s in slow])
    assert judged.ratio is not None and judged.ratio.low == pytest.approx(0.9) == judged.ratio.high
    assert judged.holds is True


def test_a_row_holds_only_if_its_whole_interval_does() -> None:
    assert result([80.0, 90.0, 100.0, 84.0, 95.0], [100.0] * 5).holds is False
    assert result([86.0, 90.0, 100.0, 87.0, 95.0], [100.0] * 5).holds is True
    assert result([1.0] * 3, [1.0] * 3, None).holds is None
    alone = judge(Result("ring", "descriptors/s", "", 10e6, None, [11e6, 12e6, 11.5e6]))
    assert alone.holds is True and alone.ratio == Interval(11.5e6, 11e6, 12e6)


def test_percentiles_are_values_that_occurred() -> None:
    values = list(range(1, 1001))
    assert [percentile(values, share) for share in (0.5, 0.9, 0.99, 0.999, 1.0)] == [500, 900, 990, 999, 1000]
    assert percentile([4.0], 0.01) == 4.0


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    report = begun(3)
    report.results = [result([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])]
    report.results[0].lacking = Lacking("What.", "Why.", "fix")
    path = tmp_path / "speed.json"
    path.write_bytes(msgspec.json.encode(report))
    assert read(str(path)) == report
    assert report.kernel.startswith("Linux ") and report.kernel.count("-") == 0


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2}', "[1, 2]"])
def test_what_is_no_report_is_said_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "speed.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="no report"):
        read(str(path))
    with pytest.raises(UsageError, match="cannot be read"):
        read(str(tmp_path / "none"))


def test_numbers_are_short() -> None:
    told = [number(value) for value in (1.234e6, 10e6, 45678.0, 1234.4, 0.8712, 0.00001, 0.0)]
    assert told == ["1.23 M", "10 M", "45.7 k", "1234", "0.871", "0", "0"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_picture_and_words_of_every_kind_of_row(lang: str) -> None:
    rows = [
        result([0.9, 0.95, 0.92], [1.0, 1.0, 1.0]),
        judge(Result("ring", "descriptors/s", "", 10e6, None, [9e6, 9e6, 9e6], more={"kicks": 0.5})),
        judge(Result("latency", "us", "", None, None, [30.0, 31.0, 29.0], more={"p99": 90.0})),
        Result("lab", "packets/s", lacking=Lacking("No.")),
        Result("lab", "packets/s", lacking=Lacking("Broke."), failed=True),
    ]
    assert [verdict(row) for row in rows] == ["holds", "short", "told", "skipped", "failed"]
    report = Report(1, "2026-01-01T00:00:00Z", "Linux 6.1", "<cpu>", 2, 3, rows)
    drawn = svg(report, lang)  # type: ignore[arg-type]
    assert drawn.startswith("<svg") and drawn.count("<circle") == 2 and "tx-tap" in drawn and "latency" not in drawn
    words = [figure(row, lang) for row in rows]  # type: ignore[arg-type]
    assert "0.92" in words[0] and "9 M" in words[1] and "90" in words[2] and words[3] == ""
