"""Forks on the real vhost-net: a device that is attached may not see what the past had not shown it yet."""

from __future__ import annotations

import pytest

from tests.agent.playing import Played
from tests.trace.recordings import reference
from tour.agent.client_lab import connect_lab
from tour.agent.forks import fork_point
from tour.trace.timeline import Timeline

pytestmark = pytest.mark.requires("lab")


@pytest.mark.parametrize(
    ("step", "vary", "rights"),
    [
        ("kick", "", ["len0", "call", "last_used_idx"]),
        ("call", "", ["call", "last_used_idx"]),
        ("publish", "forget_kick", ["avail_idx", "nothing", "nothing", "none"]),
    ],
    ids=["published, not kicked", "called, not read", "kick forgotten"],
)
def test_a_fork_goes_on_from_the_kernels_own_past(step: str, vary: str, rights: list[str]) -> None:
    run = Timeline(reference().events)
    mark = run.mark(step)
    assert mark is not None
    played = Played(lambda command: connect_lab(command, ""), device="kernel")
    player = played.player
    try:
        player.open(player.lesson.step_ids.index(step), fork=fork_point(run, mark.position, f"8:{step}"))
        played.pump.until(lambda: not player.busy or player.error is not None, 60)
        assert player.error is None, player.error
        state = player.timeline.edge
        assert state.hello is not None and state.hello.device == "kernel"
        assert state.tx.used_idx == run.at(mark.position).tx.used_idx, "attaching sent nothing"
        player.vary = next((each for each in player.lesson.vary if each.id == vary), None)
        assert [right for _, right in played.to_end()] == rights
        assert player.timeline.edge.packets_out == (1 if step == "kick" else 0)
    finally:
        player.close()
