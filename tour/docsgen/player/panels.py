"""The panels that are no queue, as the player draws them: words and numbers, and what of them is lit."""

from __future__ import annotations

from typing import Any

from tour.docsgen.player.queue import lit
from tour.lesson import labels
from tour.lesson.model import PlotSpec
from tour.trace.events import Region
from tour.trace.state import Ring
from tour.view.area import View
from tour.view.features import name_of
from tour.view.frame_words import meaning
from tour.view.panels import features as bits
from tour.view.panels import memory as map_of
from tour.view.panels import packet as bytes_of
from tour.view.panels import plot as plots
from tour.view.panels import source as lines
from tour.view.panels import vhost as card
from tour.view.panels import who
from tour.view.say import size_words

CELLS = 64
"""Cells for which lines of source are wrapped; the player wraps them anew."""


def people(view: View) -> list[dict[str, Any]]:
    """Who there is: control, driver, device, port, peer; ``brief`` are name and doing where there is little room."""
    both = zip(who.people(view, roomy=True), who.people(view, roomy=False), strict=True)
    return [
        {"is": anchor, "as": style.partition("+")[0], "name": name, "plane": plane, "doing": doing, "acts": acts,
         "brief": [brief[2], brief[4][0]]}
        for (anchor, style, name, plane, (doing, acts)), brief in both
    ]  # fmt: skip


def memory(view: View) -> list[dict[str, Any]]:
    """Regions in order of address with the holes between, then what vhost was told and is not mapped so."""
    found: list[dict[str, Any]] = []
    end = 0
    for region in sorted(view.state.regions, key=lambda region: region.gpa):
        if end and region.gpa > end:
            words = view.tr("memory.hole_line", start=f"{end:#x}", end=f"{region.gpa - 1:#x}")
            found.append({"is": "hole", "text": words, "lit": "", "told": "", "parts": []})
        found.append(_region(view, region))
        end = region.gpa + region.size
    for told in map_of.only_told(view.state):
        last = told.gpa + told.size - 1
        place = {"start": f"{told.gpa:#x}", "end": f"{last:#x}", "hva": f"{told.hva:#x}"}
        text = view.tr("memory.only_told", size=size_words(told.size), **place)
        found.append({"is": "told", "text": text, "lit": lit(view, "mem_table"), "told": "", "parts": []})
    return found


def _region(view: View, region: Region) -> dict[str, Any]:
    words = {"start": f"{region.gpa:#x}", "end": f"{region.gpa + region.size - 1:#x}", "hva": f"{region.hva:#x}"}
    text = view.tr("memory.region_line", n=region.index, size=size_words(region.size), **words)
    parts = [
        [part.label or f"{part.end - part.gpa} B", f"{part.gpa:#x}", part.end - part.gpa,
         map_of.style_of(view, part), list(part.names[:64])]
        for part in map_of.parts(view, region) if part.kind != "free"
    ]  # fmt: skip
    told = map_of.told_words(view.state, region)
    light = lit(view, f"region[{region.index}].hva")
    return {"is": "region", "text": text, "lit": light, "told": view.tr(f"memory.{told}"), "parts": parts}


def packet(view: View) -> dict[str, Any]:
    """The bytes of the packet that is shown: its fields, each with its name, and each layer in words."""
    found = bytes_of.subject(view.state)
    title = bytes_of.title_of(view, found)
    if found is None:
        return {"title": title, "bytes": "", "fields": [], "layers": []}
    known = bytes_of.all_fields(found)
    layers: dict[str, list[Any]] = {}
    for field in known:
        layers.setdefault(field.name.partition(".")[0], []).append(field)
    said = [[of[0].offset, meaning(name, of, view.lang)] for name, of in layers.items()]
    fields = [
        [one.offset, one.length, meaning(one.name.partition(".")[0], [one], view.lang, one.name)] for one in known
    ]
    return {"title": title, "bytes": found.data.hex(), "fields": fields, "layers": said}


def vhost(view: View) -> dict[str, Any]:
    """What vhost knows: of itself, of each ring, and the sentence that sums it up."""
    told = [[view.tr(f"vhost.{fact.name}"), fact.text, lit(view, *fact.keys)] for fact in card.facts(view)]
    return {"facts": told, "rings": [_known(view, ring) for ring in (view.state.tx, view.state.rx)],
            "sum": card.summary(view)}  # fmt: skip


def _known(view: View, ring: Ring) -> list[Any]:
    cells = [(key, *card.cell(view, ring, key)) for key, _, _ in card.COLUMNS]
    told = [
        [view.tr(f"vhost.head.{key}"), text, lit(view, *keys), card.writer(view, ring, key)]
        for key, text, keys in cells
    ]
    return [view.tr(f"card.{ring.name}"), told]


def features(view: View) -> list[list[Any]]:
    """A row a bit that any word has: bit, name, what it is for, then of each word ``1``, ``-`` or ``?``, whose word it
    is, and whether it is lit."""
    known = bits.words(view.state)
    return [
        [bit, name_of(bit), view.tr(f"bit.{bit}") if bit in bits.EXPLAINED else "",
         [_mark(view, name, word, bit) for name, word in known.items()]]
        for bit in bits.bits_shown(known)
    ]  # fmt: skip


def _mark(view: View, name: str, word: int | None, bit: int) -> list[str]:
    has = word is not None and bool(word >> bit & 1)
    return ["?" if word is None else "1" if has else "-", bits.OWNERS[name], lit(view, bits.KEYS[name]) if has else ""]


def figures(view: View) -> dict[str, Any]:
    """What the run measured: figures by name, listings as tables, in the lesson's order and words."""
    state, lesson, lang = view.state, view.state.lesson, view.lang
    known = [spec.name for spec in labels.figures(lesson)]
    names = [name for name in known if name in state.figures] + [name for name in state.figures if name not in known]
    numbers = [
        [labels.figure_label(lesson, name, lang), labels.figure_value(lesson, name, state.figures[name], lang),
         lit(view, f"figure.{name}")]
        for name in names
    ]  # fmt: skip
    tables = [
        {"title": spec.title.get(lang), "head": [column.get(lang) for column in spec.column],
         "rows": [[labels.word(lesson, cell, lang) for cell in row] for row in state.listings[spec.name]],
         "lit": lit(view, f"listing.{spec.name}")}
        for spec in labels.listings(lesson) if spec.name in state.listings
    ]  # fmt: skip
    return {"numbers": numbers, "tables": tables}


def plot(view: View) -> list[dict[str, Any]]:
    """The lesson's plots that have points, with axes whose ends and ticks are round numbers."""
    specs = [spec for spec in labels.plots(view.state.lesson) if view.state.plots.get(spec.name)]
    return [_plot(view, spec) for spec in specs]


def _plot(view: View, spec: PlotSpec) -> dict[str, Any]:
    points = view.state.plots[spec.name]
    ids = [line.id for line in spec.series]
    across = plots.axis([point.x for point in points], CELLS, log="x" in spec.log)
    up = plots.axis([point.y for point in points], CELLS, log="y" in spec.log)
    return {
        "title": spec.title.get(view.lang),
        "axes": [_axis(across, spec.x.get(view.lang)), _axis(up, spec.y.get(view.lang))],
        "series": [line.label.get(view.lang) for line in spec.series],
        "points": [[ids.index(point.series) if point.series in ids else 0, point.x, point.y] for point in points],
    }


def _axis(axis: plots.Axis, name: str) -> dict[str, Any]:
    ticks = [[tick, labels.number(tick)] for tick in axis.ticks()]
    return {"name": name, "low": axis.low, "high": axis.high, "log": not axis.step, "ticks": ticks}


def guest(view: View) -> dict[str, Any] | None:
    """A guest's processor: its registers and counts, its program, the next line and the one it returns to."""
    cpu = view.state.cpu
    if cpu is None:
        return None
    counts = {"returns": cpu.returns, "exits": cpu.exits, "interrupts": cpu.interrupts}
    doing = view.tr("guest.halted" if cpu.halted else "guest.between")
    cells = [[doing, lit(view, "cpu.halted")]]
    cells += [[view.tr(f"guest.{name}", n=n), lit(view, f"cpu.{name}")] for name, n in counts.items() if n is not None]
    named = {"ip": cpu.ip, **cpu.registers}
    cells += [[f"{name} {value:#x}", lit(view, f"cpu.{name}")] for name, value in named.items() if value is not None]
    return {
        "cells": cells if cpu.ip is not None else [],
        "next": cpu.ip,
        "back": cpu.registers.get("back"),
        "lines": [
            [line.gpa, line.code, line.text, labels.word(view.state.lesson, line.word, view.lang) if line.word else ""]
            for line in cpu.lines
        ],
    }


def source(view: View) -> list[list[str]]:
    """The line that ran, each piece with its style."""
    return [[piece.text, piece.style] for row in lines.rows(view, CELLS) for piece in row]
