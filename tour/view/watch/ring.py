"""One ring of any size: its four indices with their slots, the whole ring as a strip, the newest entries of both
tables, and when each side wants to be rung."""

from __future__ import annotations

from tour.trace.events import Sample
from tour.view.area import Area
from tour.view.canvas import width_of
from tour.view.text import cut, wrap
from tour.view.watch import silence
from tour.view.watch.distance import distance, part
from tour.view.watch.look import Look
from tour.view.words import fault_words

LABEL = 11
MARKS = {"free": (".", "dim"), "waiting": ("+", "driver"), "work": ("=", "device")}


def title(look: Look) -> str:
    """``TX queue, 256 slots (slot = idx mod 256)``; shorter where something more urgent stands beside it."""
    ring = look.ring
    sample = look.sample
    if sample is None:
        return look.say("queue.unseen", name=ring.name.upper())
    plain = look.ring.broken or sample.held or not (sample.running and sample.steady)
    wraps = max(sample.avail_idx, sample.used_idx) >= sample.num
    key = "queue.title_mod" if wraps and not plain else "queue.title"
    return look.say(key, name=ring.name.upper(), num=sample.num)


def draw_title(area: Area, y: int, look: Look) -> None:
    """The title on a panel's upper line, and that the ring is broken or does not run."""
    x = area.put(2, y, f" {title(look)} ", "title")
    sample = look.sample
    if look.ring.broken:
        words = f" {_broken(look)} "
        area.put(x + 1, y, cut(words, area.w - x - 3), "bad+now")
    elif sample is not None and not sample.running:
        area.put(x + 1, y, f" {look.say('queue.rests')} ", "warn")
    elif sample is not None and sample.held:
        area.put(x + 1, y, f" {look.say('queue.held')} ", "warn+now", limit=area.w - x - 3)
    elif sample is not None and not sample.steady:
        area.put(x + 1, y, f" {look.say('queue.unsteady')} ", "guess", limit=area.w - x - 3)


def _broken(look: Look) -> str:
    return f"{look.tr('queue.broken')}({fault_words(look.ring.broken or '', look.lang)})"


def draw_indices(area: Area, look: Look) -> None:
    """Two rows: who writes and who reads, where, and how far apart."""
    sample = look.sample
    if sample is None:
        area.put(1, 0, look.say("queue.none"), "dim")
        return
    far = distance(sample)
    guess = "" if sample.steady else "~"
    rows = (
        ("avail", "driver", "avail_idx", sample.avail_idx, "device", "last_avail_idx", sample.last_avail_idx),
        ("used", "device", "used_idx", sample.used_idx, "driver", "", None),
    )
    for y, (table, writer, name, idx, reader, private, read) in enumerate(rows):
        area.put(1, y, f"{'D' if writer == 'driver' else 'V'} {table}.idx", writer)
        _index(area, 13, y, look, sample, guess, idx, look.style(name, writer))
        area.put(32, y, look.say(f"queue.{reader}_reads"), reader)
        if read is None:
            area.put(46, y, look.say("queue.unknown"), "dim", limit=17)
        else:
            _index(area, 46, y, look, sample, guess, read, look.style(private, reader))
    words = _distances(look, far.waiting, far.work, far.open)
    for y, text in enumerate(words):
        area.put(64, y, text, "text" if far.sound else "warn")


def _index(area: Area, x: int, y: int, look: Look, sample: Sample, guess: str, idx: int, style: str) -> None:
    area.right(y, f"{guess}{idx}", style, end=x + 6)
    if idx >= sample.num:
        area.put(x + 7, y, look.tr("queue.slot", n=idx % sample.num), "dim", limit=11)


def _distances(look: Look, waiting: int | None, work: int | None, together: int) -> tuple[str, str]:
    if waiting is None or work is None:
        return look.say("queue.open", n=together), ""
    return look.say("queue.waiting", n=waiting), look.say("queue.work", n=work)


def draw(area: Area, look: Look) -> None:
    """The strip, both tables' newest entries, and the sentences on suppression, as far as there are rows."""
    sample = look.sample
    if sample is None:
        look.tell(area, "queue.none_long")
        return
    _strip(area, look, sample)
    _entries(area, 2, look, "avail", _chosen(look, sample, (area.w - LABEL) // _stride(sample, "avail")))
    used = [row for row in sample.used if sample.used_idx >= sample.num or look.written(row[0])]
    newest = used[-((area.w - LABEL) // _stride(sample, "used")) :] if sample.used_idx else []
    _entries(area, 4, look, "used", newest)
    y = 6
    kicks = _broken(look) if look.ring.broken else silence.kicks(look)
    for letter, style, words in (("V", "device", kicks), ("D", "driver", silence.calls(look))):
        area.put(0, y, letter, style)
        for line in wrap(words, area.w - 2)[: max(1, area.h - y - (1 if letter == "V" else 0))]:
            area.put(2, y, line, "bad+now" if words is kicks and look.ring.broken else "text")
            y += 1


def _strip(area: Area, look: Look, sample: Sample) -> None:
    """Every slot of the avail ring in order, several to a cell where the ring is longer than the row."""
    x = LABEL
    cells = min(sample.num, area.w - x - 1)
    area.put(0, 0, look.say("queue.strip"), "head", limit=LABEL - 1)
    for cell in range(cells):
        slots = range(cell * sample.num // cells, max(cell * sample.num // cells + 1, (cell + 1) * sample.num // cells))
        parts = {part(sample, slot) for slot in slots}
        mark, style = MARKS[next(kind for kind in ("waiting", "work", "free") if kind in parts)]
        area.put(x + cell, 0, mark, style)
    marks = [("U", "device", sample.used_idx), ("A", "driver", sample.avail_idx)]
    if sample.last_avail_idx is not None:
        marks.insert(1, ("R", "device", sample.last_avail_idx))
    taken: set[int] = set()
    for letter, style, idx in marks:
        at = x + (idx % sample.num) * cells // sample.num
        while at in taken:
            at += 1
        taken.add(at)
        area.put(at, 1, letter, style)
    _legend(area, look, x, taken)


def _legend(area: Area, look: Look, x: int, taken: set[int]) -> None:
    """What the marks mean, where none of them stands."""
    for words in (look.say("queue.legend"), look.say("queue.legend_short")):
        room = width_of(words)
        for at in (area.w - room, x):
            if at >= x and not any(at - 2 <= mark <= at + room for mark in taken):
                area.put(at, 1, words, "dim")
                return


def _stride(sample: Sample, table: str) -> int:
    """Cells from one entry to the next."""
    digits = len(str(sample.num - 1))
    return (
        digits + 3 if table == "avail" else digits + 3 + max((len(str(row[2])) + 1 for row in sample.used), default=0)
    )


def _chosen(look: Look, sample: Sample, room: int) -> list[list[int]]:
    """Entries of the avail ring for ``room`` places: the newest; of a long queue also those the device reads next."""
    rows = [row for row in sample.avail if look.written(row[0])]
    if len(rows) <= room or sample.last_avail_idx is None:
        return rows[-room:]
    following = sample.last_avail_idx % sample.num
    at = next((at for at, row in enumerate(rows) if row[0] == following), None)
    if at is None or at >= len(rows) - room or part(sample, following) != "waiting":
        return rows[-room:]
    first = (room - 1) // 2
    return [*rows[at : at + first], [], *rows[-(room - 1 - first) :]]


def _entries(area: Area, y: int, look: Look, table: str, rows: list[list[int]]) -> None:
    """Slot numbers, and below each what stands there; an empty row is a gap."""
    sample = look.sample
    assert sample is not None
    writer, letter = ("driver", "D") if table == "avail" else ("device", "V")
    area.put(0, y, look.say("queue.slots"), "dim", limit=LABEL - 1)
    area.put(0, y + 1, letter, writer)
    area.put(2, y + 1, look.tr(f"queue.{table}"), "head", limit=LABEL - 3)
    stride = _stride(sample, table)
    for position, row in enumerate(rows):
        x = LABEL + position * stride
        if not row:
            area.put(x, y, "…", "dim")
            area.put(x, y + 1, "…", "dim")
            continue
        area.put(x + 1, y, str(row[0]), "dim")
        text = f"[{row[1]}]" + (f"{row[2]}" if table == "used" else "")
        fresh = look.fresh(table, row)
        live = table == "used" or part(sample, row[0]) != "free"
        area.put(x, y + 1, text, f"{writer}+now" if fresh else writer if live else f"{writer}+off")
        area.anchor(f"{look.ring.name}.{table}.ring[{row[0]}]", x, y + 1, width_of(text))
