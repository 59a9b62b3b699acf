"""The truth rule on the embedded device: shown state and memory are equal at every store and whenever a step ends.

In the other ring sizes, at the wrap and in forks: test_forks.py.
"""

from __future__ import annotations

import pytest

from tests.scene.mirror import Mirror
from tests.support import in_own_network
from tour.agent import protocol
from tour.trace import events as ev

pytestmark = pytest.mark.requires("embedded")


@in_own_network
def test_memory_and_what_is_shown_are_the_same() -> None:
    mirror = Mirror(protocol.Open(1, "8", "embedded"))
    mirror.stage.open()
    mirror.compare("set-up")
    mirror.run(mirror.stage.lesson.step_ids)
    mirror.stage.close()
    assert mirror.recorder.dropped == []
    assert mirror.differences == []
    assert mirror.compared > 2000


@in_own_network
def test_a_word_written_behind_our_back_is_found() -> None:
    mirror = Mirror(protocol.Open(1, "8", "embedded"))
    mirror.stage.open()
    mirror.nic.memory.write(mirror.nic.rings[1].gpa.used_event, b"\x07\x00")
    mirror.run(("frame", "describe"))
    mirror.stage.close()
    assert mirror.differences and all("used_event is 7, shown 0" in line for line in mirror.differences)


@in_own_network
def test_what_is_told_about_a_store_is_what_memory_held() -> None:
    """``before`` and ``after`` of each store continue each other, per word."""
    mirror = Mirror(protocol.Open(1, "8", "embedded"))
    mirror.stage.open()
    mirror.run(mirror.stage.lesson.step_ids)
    mirror.stage.close()
    held: dict[int, str] = {}
    stores = [event.data for event in mirror.timeline.events if isinstance(event.data, ev.Store)]
    for store in stores:
        assert held.get(store.gpa, "00" * (len(store.before) // 2)) == store.before, store
        held[store.gpa] = store.after
    assert len(stores) > 30


@in_own_network
def test_the_line_shown_is_the_line_that_ran() -> None:
    mirror = Mirror(protocol.Open(1, "8", "embedded"))
    mirror.stage.open()
    mirror.run(mirror.stage.lesson.step_ids)
    mirror.stage.close()
    own = [
        event for event in mirror.timeline.events if isinstance(event.data, ev.Store | ev.Kick | ev.Drain | ev.Write)
    ]
    for event in own:
        assert event.where and event.code, event
    verbs = {
        event.data.field: event.code for event in own if isinstance(event.data, ev.Store) and event.data.queue == 1
    }
    assert "store_avail_idx" in verbs["avail.idx"] and "write_desc" in verbs["desc[0]"]
    assert "store_avail_entry" in verbs["avail.ring[0]"]
    kick = next(event for event in own if isinstance(event.data, ev.Kick))
    assert kick.where.startswith("scene/doorbells.py") and "eventfd_write" in kick.code
    drain = next(event for event in own if isinstance(event.data, ev.Drain))
    assert "eventfd_read" in drain.code


@in_own_network
def test_closing_leaves_no_descriptor_and_no_thread() -> None:
    import os
    import threading

    def held() -> set[str]:
        found = set()
        for name in os.listdir("/proc/self/fd"):
            try:
                found.add(os.readlink(f"/proc/self/fd/{name}"))
            except OSError:
                continue
        return found

    before, threads = held(), threading.active_count()
    mirror = Mirror(protocol.Open(1, "8", "embedded"))
    mirror.stage.open()
    mirror.run(("frame", "describe", "entry", "publish", "kick"))
    mirror.stage.close()
    left = {name for name in held() - before if not name.startswith("/proc/")}
    assert left == set() and threading.active_count() == threads
