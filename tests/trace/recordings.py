"""The reference recordings of the lessons: real runs on a real kernel, for tests that need one."""

from __future__ import annotations

from functools import cache

from tour.lesson import model
from tour.trace import events as ev
from tour.trace import store

NO_PROGRAM = {
    "1": "loop in user space",
    "11": "More links",
    "15": "KVM",
    "16": "KVM",
    "17": "QEMU",
    "18": "Two devices",
}
"""Lessons whose recordings no program can do again, and why."""


@cache
def reference(lesson: str = "8") -> store.Recording:
    """The recording shipped with a lesson."""
    return store.load(model.load(lesson).recording_path())


def events(*payloads: ev.AnyPayload, actor: ev.Actor = "driver") -> list[ev.Event]:
    """Payloads as events of one actor, numbered from 0, one nanosecond apart."""
    source: ev.Source = "observer" if actor == "network" else actor
    return [ev.Event(seq, seq, actor, source, data) for seq, data in enumerate(payloads)]


HELLO = ev.Hello(1, 1, "0.1", "embedded", "6.1.0", "tap", "8", "2026-01-01T00:00:00Z")
