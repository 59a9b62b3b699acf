"""A check run: what it came to, the mistake it is known by, and the recordings beside it."""

from __future__ import annotations

import pytest

from tour.judge.run import detect, known, verdict
from tour.lesson.exercise import ExerciseError, find
from tour.trace import events as ev
from tour.trace.events import decode
from tour.trace.timeline import Timeline

PUBLISH = find("publish")
CHECKS = {check.id: check for check in PUBLISH.check}


def test_one_that_passes_gets_its_points() -> None:
    run = known(PUBLISH, "kick", PUBLISH.solution(), 3)
    told = verdict(PUBLISH, CHECKS["kick"], run, 3, pictured=True)
    assert (told.passed, told.score, told.max_score, told.cause, told.found) == (True, 2, 2, None, [])


def test_one_that_fails_says_why_and_shows_both_rings() -> None:
    source = PUBLISH.solution().replace("% 65536", "% ring.num")
    run = known(PUBLISH, "index", source, 3)
    told = verdict(PUBLISH, CHECKS["index"], run, 3, pictured=True)
    assert told.passed is False and told.score == 0 and told.cause is not None
    assert told.cause.field == "avail.idx" and told.cause.expected != told.cause.found
    assert "avail.ring" not in source.splitlines()[told.cause.line - 1]
    assert (told.mistake, told.misconception) == ("idx_modulo", "idx-wraps-at-num")
    rings = []
    for lines in (told.found, told.wanted):
        timeline = Timeline()
        for line in lines:
            timeline.append(decode(line.encode()))
        rings.append(timeline.edge.tx.avail_idx)
    assert [str(rings[0]), str(rings[1])] == [told.cause.found, told.cause.expected]


def test_a_hidden_check_shows_nothing() -> None:
    source = PUBLISH.solution().replace("% 65536", "% ring.num")
    run = known(PUBLISH, "wrap", source, 3)
    assert verdict(PUBLISH, CHECKS["wrap"], run, 3, pictured=True).found == []


def test_a_step_not_written_is_a_todo() -> None:
    source = "def publish(ring, idx, heads, kick):\n    raise NotImplementedError('TODO 1')\n"
    run = known(PUBLISH, "entries", source, 3)
    assert run.cause is not None and (run.cause.kind, run.cause.detail, run.cause.line) == ("todo", "TODO 1", 2)
    assert detect(PUBLISH, "entries", run, 3) is None


@pytest.mark.parametrize(("source", "kind"), [("def publish(:", "raised"), ("x = 1", "missing"), ("1/0", "raised")])
def test_a_module_that_is_none(source: str, kind: str) -> None:
    run = known(PUBLISH, "entries", source, 3)
    assert run.cause is not None and run.cause.kind == kind


def test_a_recording_is_no_longer_than_a_picture_needs() -> None:
    run = known(PUBLISH, "index", PUBLISH.solution().replace("% 65536", "% ring.num"), 3)
    packet = ev.Event(0, 0, "device", "device", ev.Packet("out", "port", "00" * 60000))
    told = verdict(PUBLISH, CHECKS["index"], run._replace(events=[*run.events, *[packet] * 300]), 3, pictured=True)
    assert len(run.events) <= len(told.found) and sum(map(len, told.found)) <= 1 << 20


def test_the_same_seed_gives_the_same_run() -> None:
    runs = [known(PUBLISH, "wrap", PUBLISH.solution(), seed) for seed in (5, 5, 6)]
    assert runs[0].alike(runs[1]) and not runs[0].alike(runs[2])


def test_a_check_that_is_not_there_is_a_defect_of_the_exercise() -> None:
    with pytest.raises(ExerciseError, match="has no check 'nothing'"):
        known(PUBLISH, "nothing", PUBLISH.solution(), 1)
