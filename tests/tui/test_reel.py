"""The way from one moment to the next."""

from __future__ import annotations

from msgspec.structs import replace

from tests.view.story import Story, moment
from tour.lesson.moment import TimelineView
from tour.tui.reel import scenes


def test_a_step_is_shown_event_by_event_and_never_ahead_of_itself() -> None:
    story = Story("embedded").run(until="kick")
    start = len(story.timeline)
    story.step("kick")
    story.step("device")
    end = len(story.timeline)
    after = replace(moment("device", "observe", device="embedded"), timeline=TimelineView(end, end, ()))
    before = replace(after, timeline=TimelineView(start, start, ()))
    seen = list(scenes(before, after, story.timeline))
    labels = [travel.label for travels, _ in seen for travel in travels]
    assert labels == ["+1 kick", "[0]", "0x40000", "42 B", "[0]", "1", "+1 call", "42 B"]
    indices = [scene.state.tx.used_idx for _, scene in seen]
    assert indices == [0, 0, 0, 0, 0, 1, 1, 1]
    assert all(scene.timeline.at_edge for _, scene in seen)


def test_the_set_up_is_no_film() -> None:
    story = Story()
    end = len(story.timeline)
    after = replace(moment("frame", "orient"), timeline=TimelineView(end, end, ()))
    assert not list(scenes(replace(after, timeline=TimelineView(0, 0, ())), after, story.timeline))


def test_looking_back_and_jumping_show_no_way() -> None:
    story = Story("embedded").run()
    end = len(story.timeline)
    after = replace(moment("reap", "observe"), timeline=TimelineView(10, end, ()))
    assert not list(scenes(replace(after, timeline=TimelineView(end, end, ())), after, story.timeline))
    other = replace(after, lesson="9", timeline=TimelineView(0, 0, ()))
    assert not list(scenes(other, after, story.timeline))
