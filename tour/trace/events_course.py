"""Payloads of a lesson's course and of the stream itself: steps, predictions, checks, sentences, errors, the end.

``events`` gives all kinds by one name each; nothing else imports from here.
"""

from __future__ import annotations

from typing import Any, Literal

from tour.trace.events_control import Payload


class Step(Payload, frozen=True):
    """Mark: a lesson's step begins or ends. ``ended`` says on which condition: ``done``, ``quiescent``,
    ``errno`` or ``still`` (nothing moved for 200 ms)."""

    lesson: str
    step: str
    mark: Literal["begin", "end"]
    ended: str = ""


class Note(Payload, frozen=True):
    """A sentence of the program's own, as a key of the strings table and its arguments."""

    key: str
    args: dict[str, Any] = {}


class Question(Payload, frozen=True):
    """A prediction was asked."""

    step: str
    choices: list[str]


class Answer(Payload, frozen=True):
    """A prediction was given: ``chosen`` and ``right`` are choice ids; ``tries`` counts from 1."""

    step: str
    chosen: str
    right: str
    tries: int


class Check(Payload, frozen=True):
    """A check's verdict; ``expr`` is the predicate, ``actual`` what was found."""

    step: str
    id: str
    ok: bool
    expr: str
    actual: str = ""


class Error(Payload, frozen=True):
    """Something went wrong that a person should read."""

    what: str
    why: str = ""
    fix: str = ""
    name: str = ""


class Lost(Payload, frozen=True):
    """``n`` data-plane events were dropped because the reader was slow."""

    n: int


class Done(Payload, frozen=True):
    """The agent finished command ``id``."""

    id: int
    ok: bool = True


class Bye(Payload, frozen=True):
    """Last line of a complete stream."""

    reason: str = "end"
