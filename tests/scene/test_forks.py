"""Forks on the embedded device, in one process: each begins as its moment was and ends as the run it came from did."""

from __future__ import annotations

import pytest

from tests.agent.playing import words
from tests.scene.mirror import Mirror
from tests.support import in_own_network
from tour.agent import protocol
from tour.lesson.prediction import right_choice
from tour.trace import events as ev

pytestmark = pytest.mark.requires("embedded")

NORMAL = {
    "frame": "none", "describe": "gpa", "entry": "none", "publish": "avail_idx", "kick": "len0", "call": "call",
    "reap": "last_used_idx",
}  # fmt: skip


def play(mirror: Mirror, steps: tuple[str, ...]) -> dict[str, str]:
    """Those steps to the end; which choice of each came true."""
    rights = {}
    mirror.stage.open()
    mirror.compare("set-up")
    for step in steps:
        before = mirror.timeline.edge
        mirror.run((step,))
        predict = next(spec for spec in mirror.stage.lesson.step if spec.id == step).predict
        rights[step] = right_choice(predict.choice, before, mirror.timeline.edge) if predict else ""
    mirror.stage.close()
    assert mirror.recorder.dropped == [] and mirror.differences == []
    failed = [event.data for event in mirror.timeline.events if isinstance(event.data, ev.Check) and not event.data.ok]
    assert failed == []
    return rights


@pytest.mark.parametrize(("lesson", "num", "base"), [("0", 0, 0), ("8", 0, 0), ("8", 2, 0), ("8", 0, 65535)])
@in_own_network
def test_a_fork_from_every_step_ends_as_the_run_it_came_from(lesson: str, num: str, base: str) -> None:
    run = Mirror(protocol.Open(1, lesson, "embedded", num=int(num), base=int(base)))
    steps = run.stage.lesson.step_ids
    normal = play(run, steps)
    assert lesson == "0" or normal == NORMAL, "exactly one choice came true each time"
    for step in steps:
        fork, mark = run.fork(step), run.timeline.mark(step)
        assert mark is not None
        rest = steps[steps.index(step) :]
        rights = play(fork, rest)
        assert rights == {each: normal[each] for each in rest}, step
        begin = fork.timeline.mark(step)
        assert begin is not None
        assert words(fork.timeline.at(begin.position)) == words(run.timeline.at(mark.position)), f"{step}: it begins so"
        assert words(fork.timeline.edge) == words(run.timeline.edge), f"{step}: it ends so"
