"""The first rows: lesson, step, part of the step, where the picture comes from, language."""

from __future__ import annotations

import re

from tour.lesson.moment import PHASES, Moment
from tour.lesson.sandbox import SANDBOX
from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.text import cut

FIRST_MINUTES = "0"
_VERSION = re.compile(r"\b(\d+\.\d+)(?:\.\d+)?[-\w.+~]*")
BADGE_STYLES = {
    "starting": "dim",
    "kernel": "live",
    "embedded": "live",
    "engine": "live",
    "replay": "replay",
    "back": "back",
    "ended": "bad",
}


_ADDRESS = re.compile(r"[\d.]+|\[?[\da-fA-F:]+\]?")
HOST_WIDTH = 15
"""Cells that the name of another machine may take."""
ROOMY = 36
"""Cells of a badge above which the margin at its right is given up."""


def badge(view: View) -> tuple[str, str]:
    """The badge's words and style: LIVE, REPLAY or LOOKING BACK is always among them."""
    found = view.moment.badge
    host = view.tr("badge.on", host=_short(found.host)) if found.host else ""
    if found.kind in ("back", "ended"):
        into = view.tr(f"badge.into.{found.into}", version=_version(found.detail))
        return view.tr(f"badge.{found.kind}", into=into) + host, BADGE_STYLES[found.kind]
    detail = _VERSION.sub(r"\1", found.detail)
    words = view.tr(f"badge.{found.kind}", detail=detail, version=_version(found.detail))
    return words.rstrip() + host, BADGE_STYLES[found.kind]


def _short(host: str) -> str:
    """``box`` of ``me@box.example.org``; an address as it is."""
    name = host.rpartition("@")[2]
    return cut(name if _ADDRESS.fullmatch(name) else name.partition(".")[0], HOST_WIDTH)


def _version(detail: str) -> str:
    """``6.1`` of ``6.1.0-56-amd64`` or of ``kernel, Linux 6.1.0-56-amd64, 2026-11-22``."""
    found = _VERSION.search(detail)
    return found.group(1) if found else "?"


def right_side(area: Area, view: View, *, helped: bool) -> int:
    """Badge and language at the right end; returns the column where they begin."""
    words, style = badge(view)
    tail = view.tr("lang") + (f"   {view.tr('head.help')}" if helped else "")
    end = area.w - (4 if width_of(words) < ROOMY else 2)
    start = area.right(0, tail, "dim", end=end)
    area.hit("key:L", start, 0, width_of(view.tr("lang")))
    start = area.right(0, f" {words} ", f"{style}+now", end=start - 2)
    area.anchor("badge", start, 0, width_of(words) + 2)
    return start


def title(area: Area, view: View, room: int, *, short: bool) -> int:
    """Lesson and step at the left; returns the column after them."""
    moment = view.moment
    key = "head.step_short" if short else "head.step"
    step = view.tr(key, n=moment.step_index + 1, count=len(moment.steps), step=moment.title_of(moment.step))
    name = cut(_name(moment), room - width_of(step) - 3)
    x = area.put(1, 0, name, "title")
    return area.put(x + (2 if short else 3), 0, step, "head")


def _name(moment: Moment) -> str:
    """Number and title of the lesson; the sandbox has no number."""
    return moment.title if moment.lesson == SANDBOX else f"{moment.lesson} {moment.title}"


def width(view: View) -> int:
    """Cells of lesson, step and phases in one row."""
    moment = view.moment
    step = view.tr("head.step", n=moment.step_index + 1, count=len(moment.steps), step=moment.title_of(moment.step))
    parts = sum(width_of(view.tr(f"phase.{phase}")) + 3 for phase in PHASES)
    fork = width_of(view.tr("head.forked", origin=moment.forked_from)) + 3 if moment.forked_from else 0
    return width_of(_name(moment)) + width_of(step) + parts + fork + 10


def phases(area: Area, x: int, y: int, view: View) -> int:
    """The parts of a step, the present one in brackets; the first five minutes and the sandbox have none."""
    if view.moment.lesson == FIRST_MINUTES:
        return area.put(x, y, view.tr("head.first"), "dim")
    if view.moment.lesson == SANDBOX:
        return area.put(x, y, view.tr("head.sandbox"), "dim")
    for index, phase in enumerate(PHASES):
        if index:
            x = area.put(x, y, " > ", "dim")
        words = view.tr(f"phase.{phase}")
        here = phase == view.moment.phase
        x = area.put(x, y, f"[{words.upper()}]" if here else words, "key" if here else "dim")
    return x


def forked(area: Area, x: int, y: int, view: View) -> None:
    """Where this run was forked from, if it was."""
    if view.moment.forked_from:
        area.put(x, y, view.tr("head.forked", origin=view.moment.forked_from), "warn")
