"""What changed since a step began, in one sentence: ring words by their names, the control plane's in words."""

from __future__ import annotations

from tour.i18n import Lang, strings
from tour.lesson import labels
from tour.lesson.model import ListingSpec, PlotSpec
from tour.trace.paths import PathError, read
from tour.trace.state import State
from tour.view import words_ring
from tour.view.text import tight, tr

ORDER = (
    "opened", "owner", "threads", "worker", "offered", "device", "driver", "features", "region", "mem", "num",
    "vring_num", "base", "addr", "desc", "avail", "kick", "used", "call", "last_", "packets",
)  # fmt: skip
"""Which comes first: in the order in which things happen."""
DESCRIPTOR = 4
"""Numbers of one: addr, len, flags, next."""
MOST = 6
"""More than these are counted: the panels show them all."""
FIGURES = 2
"""More of them are counted too: their panel shows them by name."""
YES_OR_NO = ("opened", "owner", "threads")


def changes(before: State, after: State, lang: Lang, shown: str = "") -> str:
    """The words that changed since the step began, in one sentence; those of the queue that is ``shown`` first."""
    keys = sorted(after.step_changed, key=lambda key: (not key.startswith(f"{shown}."), *_order(key)))
    figures = [key for key in keys if key.startswith("figure.")]
    if len(figures) > FIGURES:
        keys = [key for key in keys if key not in figures]
    parts = [part for key in keys if (part := _change(lang, before, after, key))]
    if len(figures) > FIGURES:
        parts.append(tr(lang, "change.figures", n=len(figures)))
    if not parts:
        return tr(lang, "change.none")
    if len(parts) > MOST:
        parts = [*parts[:MOST], tr(lang, "change.more", n=len(parts) - MOST)]
    return tight(tr(lang, "change.list", what=tr(lang, "say.and").join(parts)))


def _change(lang: Lang, before: State, after: State, key: str) -> str:
    if key.startswith("mem."):
        return tr(lang, "change.memory", gpa=key[4:])
    if key in ("port", "watching", "tx.free", "rx.free") or key.endswith("_shadow") or _register(key, after):
        return ""
    try:
        old, new = read(before, key), read(after, key)
    except PathError:
        return named(key, lang)
    if old == new:
        return ""
    if key in YES_OR_NO:
        return tr(lang, f"change.{key}.{'yes' if new else 'no'}")
    if key.startswith("figure."):
        return _measured(lang, after, key.removeprefix("figure."))
    if key.startswith(("plot.", "listing.")):
        kind = "points" if key.startswith("plot.") else "rows"
        return tr(lang, f"change.{kind}", name=_plotted(lang, after, key), n=new)
    name = named(key, lang)
    if old is None or str(old).startswith("("):
        return tr(lang, "change.new", name=name, new=_value(key, new))
    return tr(lang, "change.word", name=name, old=_value(key, old), new=_value(key, new))


def _register(key: str, after: State) -> bool:
    """Whether that is a register of a guest's processor: its panel shows them."""
    return after.cpu is not None and key.startswith("cpu.") and key[4:] in after.cpu.registers


def _measured(lang: Lang, after: State, name: str) -> str:
    """A figure by its lesson's words, with its unit."""
    label = labels.figure_label(after.lesson, name, lang)
    return tr(lang, "change.new", name=label, new=labels.figure_value(after.lesson, name, after.figures[name], lang))


def _plotted(lang: Lang, after: State, key: str) -> str:
    """What a lesson calls a plot (its points are counted) or a listing (its rows)."""
    kind, _, name = key.partition(".")
    specs: list[PlotSpec | ListingSpec] = [*(labels.plots if kind == "plot" else labels.listings)(after.lesson)]
    return next((spec.title.get(lang) for spec in specs if spec.name == name), key)


def named(key: str, lang: Lang) -> str:
    """What a person calls that key; a word of a ring keeps its own name (``tx.avail.idx``)."""
    queue, _, rest = key.partition(".") if key[:3] in ("tx.", "rx.") else ("", "", key)
    number = "".join(filter(str.isdigit, rest))
    known = strings(lang).get(f"view.change.name.{rest.replace(f'[{number}]', '')}")
    return known.format(queue=queue.upper(), number=number) if known else key


def _order(key: str) -> tuple[int, str]:
    part = key.partition(".")[2] if key[:3] in ("tx.", "rx.") else key
    return next((at for at, name in enumerate(ORDER) if part.startswith(name)), len(ORDER)), key


def _value(key: str, value: object) -> str:
    """A value as one writes it in a sentence; what was never written is a dash, and an address is one however low."""
    if isinstance(value, int):
        return f"{value:#x}" if ".addr." in key or key.endswith(".hva") else words_ring.number(value)
    text = str(value or "-")
    return _entry(text[1:-1].split(", ")) if text.startswith("(") else text


def _entry(numbers: list[str]) -> str:
    """A descriptor or a used entry as the panels write it: a descriptor's address in hexadecimal."""
    if len(numbers) == DESCRIPTOR:
        numbers = [f"{int(numbers[0]):#x}", *numbers[1:]]
    return "{" + ", ".join(numbers) + "}"
