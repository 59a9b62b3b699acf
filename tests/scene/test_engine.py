"""``--device engine``: a scene on the embedded device with its C engine is looked at from outside, as the kernel is."""

from __future__ import annotations

import pytest

from tests.scene.mirror import Mirror
from tests.support import in_own_network
from tour.agent import protocol
from tour.trace import events as ev

pytestmark = pytest.mark.requires("embedded")


@in_own_network
def test_the_run_says_what_turned_the_rings() -> None:
    mirror = Mirror(protocol.Open(1, "8", "engine"))
    mirror.stage.open()
    hello = mirror.timeline.edge.hello
    mirror.stage.close()
    assert hello is not None
    assert (hello.device, hello.gear, hello.ran_on, hello.looked_at) == ("embedded", "engine", "engine", True)


@in_own_network
def test_what_the_device_did_is_read_from_memory_and_shown_as_one_jump() -> None:
    for lesson in ("8", "9"):
        mirror = Mirror(protocol.Open(1, lesson, "engine"))
        mirror.stage.open()
        mirror.compare("set-up")
        for step in mirror.stage.lesson.step_ids:
            mirror.stage.do(step, skip=False)
            mirror.compare(step)
        mirror.stage.close()
        assert mirror.differences == []
        told = [event for event in mirror.timeline.events if event.actor == "device"]
        assert {type(event.data) for event in told} >= {ev.Snapshot, ev.Count}
        assert all(event.source == "observer" for event in told if not isinstance(event.data, ev.Opened | ev.Closed))
        assert not [event for event in told if isinstance(event.data, ev.Action | ev.Store)]
        checks = [event.data for event in mirror.timeline.events if isinstance(event.data, ev.Check)]
        assert checks and all(check.ok for check in checks)
