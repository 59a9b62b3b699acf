"""What the player in a browser reads: one file a recording and language, all of it data, none of it markup."""

from __future__ import annotations

from typing import Any

import msgspec

from tour.docsgen.player.deltas import delta
from tour.docsgen.player.steps import steps
from tour.docsgen.player.stills import Still, stills
from tour.i18n import Lang, strings
from tour.lesson.model import Lesson
from tour.trace import events as ev
from tour.trace.store import Recording
from tour.trace.timeline import Timeline
from tour.view.head import badge
from tour.view.motion import travels
from tour.view.panels.log import line
from tour.view.words import sentence

FORMAT = "vhost-tour player 1"
STRINGS = "docsgen.player."


def player_file(recording: Recording, lesson: Lesson | None, lang: Lang) -> bytes:
    """The file as JSON: ``first`` is the still before any event, ``deltas`` lead from each to the next, ``events``
    say of each event who acted, what happened in words, how it stands in the log, and what travelled where.

    Raises FoldError.
    """
    deltas, events, last = [], [], None
    for still in stills(recording.events, lesson, lang, recording.hello.variant or ""):
        if last is not None and still.event is not None:
            deltas.append(delta(last.drawn, still.drawn))
            events.append(_event(still, still.event))
        else:
            first = still.drawn
        last = still
    assert last is not None  # there is one before the first event
    timeline = Timeline(recording.events)
    found = {
        "format": FORMAT,
        "lang": lang,
        "lesson": lesson.id if lesson else "",
        "title": lesson.title.get(lang) if lesson else "",
        "badge": badge(last.view)[0],
        "strings": {key.removeprefix(STRINGS): text for key, text in strings(lang).items() if key.startswith(STRINGS)},
        "whole": recording.whole,
        "steps": steps(lesson, timeline, lang, recording.hello.variant or ""),
        "stops": timeline.stops,
        "first": first,
        "deltas": deltas,
        "events": events,
    }
    return msgspec.json.encode(found)


def _event(still: Still, event: ev.Event) -> list[Any]:
    """Actor, sentence (empty for an event that tells nothing), line of the log and its bytes, travels."""
    state, view = still.view.state, still.view
    said = sentence(event, state, view.lang) if state.last is event else ""
    logged = bool(state.log) and state.log[-1] is event and not isinstance(event.data, ev.Action)
    text, raw = line(event, view.kernel) if logged else ("", "")
    moves = [[list(one.path), one.label, one.style, one.inferred, one.old] for one in travels(event)]
    return [event.actor, said, text, raw, moves]
