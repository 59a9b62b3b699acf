"""A report in words and as a picture. Pure."""

from __future__ import annotations

import re
from html import escape

from tour.bench.report import Report, Result
from tour.i18n import Lang, t

LEFT, WIDTH, ROW, TOP, AXIS = 190, 760, 46, 64, 300
MOST = 3.0
"""Times the minimum at the axis' right end; what lies beyond is drawn there."""
INK, QUIET, GOOD, BAD, PAPER = "#1f2430", "#6b7280", "#0f766e", "#b91c1c", "#ffffff"
DARK = {INK: "#e6e9ef", QUIET: "#9aa4b2", GOOD: "#2dd4bf", BAD: "#f87171", PAPER: "#12151c"}
"""What each colour becomes on a dark page."""
FONT = "'DejaVu Sans','Noto Sans',Helvetica,Arial,'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"


def word(lang: Lang, table: str, name: str, **values: str) -> str:
    """What ``name`` (of a row, a unit, a further figure) is called; keys of strings are plain words."""
    return t(lang, f"bench.{table}." + re.sub(r"\W", "_", name.lower()), **values)


def number(value: float) -> str:
    """Three significant digits, with M or k where it is large."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 1e4:
        return f"{value / 1e3:.3g} k"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 1e-4 else "0"


def middle(values: list[float]) -> float:
    """The median of a row's rounds."""
    return sorted(values)[len(values) // 2]


def verdict(result: Result) -> str:
    """holds, short, told (no minimum), skipped (something is not installed) or failed."""
    if result.lacking is not None:
        return "failed" if result.failed else "skipped"
    return {None: "told", True: "holds", False: "short"}[result.holds]


def figure(result: Result, lang: Lang) -> str:
    """What was measured, in one line; '' for a row that was not."""
    if result.ratio is None:
        return ""
    unit = word(lang, "unit", result.unit)
    ours = t(lang, "bench.ours", value=number(middle(result.ours)), unit=unit)
    low, high = number(result.ratio.low), number(result.ratio.high)
    parts = [ours]
    if result.peer:
        peer = word(lang, "peer", result.name)
        parts += [t(lang, "bench.peer_figure", peer=peer, value=number(middle(result.peer)), unit=unit)]
        parts += [t(lang, "bench.ratio", median=number(result.ratio.median), low=low, high=high)]
    else:
        parts += [t(lang, "bench.range", low=low, high=high)]
    if result.at_least is not None:
        parts += [t(lang, "bench.at_least", value=number(result.at_least))]
    return t(lang, "bench.comma").join([*parts, *_more(result, lang)])


def _more(result: Result, lang: Lang) -> list[str]:
    return [word(lang, "more", name, value=number(value)) for name, value in sorted(result.more.items())]


def svg(report: Report, lang: Lang, dark: bool = False) -> str:
    """Each row's interval, measured in its own minimum: what lies right of the line holds."""
    drawn = _drawn(report, lang)
    for light, other in DARK.items() if dark else ():
        drawn = drawn.replace(light, other)
    return drawn


def _drawn(report: Report, lang: Lang) -> str:
    rows = [result for result in report.results if result.ratio is not None and result.at_least is not None]
    height = TOP + ROW * len(rows) + 40
    title = t(lang, "bench.plot.title", kernel=report.kernel, cores=report.cores, day=report.when[:10])
    body = [_text(16, 28, title, INK, 15), _text(16, 48, t(lang, "bench.plot.how"), QUIET, 12)]
    one = _x(1.0)
    body += [f'<line x1="{one}" x2="{one}" y1="{TOP}" y2="{TOP + ROW * len(rows)}" stroke="{QUIET}"/>']
    for place, result in enumerate(rows):
        body += _row(result, TOP + ROW * place, lang)
    for mark in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, MOST):
        body.append(_text(_x(mark), TOP + ROW * len(rows) + 18, f"{mark:g}", QUIET, 11, "middle"))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}" font-family="{FONT}">',
        f'<rect width="100%" height="100%" fill="{PAPER}"/>', *body, "</svg>", "",
    ])  # fmt: skip


def _row(result: Result, y: int, lang: Lang) -> list[str]:
    assert result.ratio is not None and result.at_least is not None
    low, median, high = (_x(v / result.at_least) for v in (result.ratio.low, result.ratio.median, result.ratio.high))
    colour = GOOD if result.holds else BAD
    return [
        _text(16, y + 17, result.name, INK, 13),
        _text(16, y + 34, figure_short(result, lang), QUIET, 11),
        f'<line x1="{low}" x2="{max(high, low + 2)}" y1="{y + 14}" y2="{y + 14}" stroke="{colour}" stroke-width="6"/>',
        f'<circle cx="{median}" cy="{y + 14}" r="5" fill="{colour}"/>',
    ]


def figure_short(result: Result, lang: Lang) -> str:
    """Ratio, peer and minimum of a row, short enough for the picture."""
    assert result.ratio is not None and result.at_least is not None
    median, least = number(result.ratio.median), number(result.at_least)
    if not result.peer:
        unit = word(lang, "unit", result.unit)
        return t(lang, "bench.plot.alone", median=median, unit=unit, least=least)
    return t(lang, "bench.plot.pair", median=median, peer=word(lang, "peer", result.name), least=least)


def _x(times: float) -> float:
    return round(LEFT + 230 + AXIS * min(max(times, 0.0), MOST) / MOST, 1)


def _text(x: float, y: float, text: str, colour: str, size: int, anchor: str = "start") -> str:
    where = f'x="{x}" y="{y}" fill="{colour}" font-size="{size}" text-anchor="{anchor}"'
    return f"<text {where}>{escape(text)}</text>"
