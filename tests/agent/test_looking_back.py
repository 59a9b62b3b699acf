"""What is said of a step while one looks back at it is said of that step."""

from __future__ import annotations

from tests.agent.test_player import at
from tour.view.changes import changes


def test_the_changes_of_a_past_step_are_its_own() -> None:
    player = at("call").player
    said = {}
    while player.moment().timeline.position:
        moment = player.moment()
        if player.looking_back and moment.state.step == moment.step:
            said.setdefault(moment.step, changes(moment.before, moment.state, "en"))
        player.back()
    assert "tx.avail.idx 0 to 1" in said["publish"]
    assert "tx.desc[0]" in said["describe"] and "tx.avail.idx" not in said["describe"]
    assert all(moment.before.seq <= moment.state.seq for moment in [player.moment()])
