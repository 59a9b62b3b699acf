"""A canvas as a standalone SVG picture: every run placed on the grid, so Chinese and Latin stay in line."""

from __future__ import annotations

from html import escape
from zlib import crc32

from tour.view.canvas import Canvas, Span, width_of
from tour.view.themes import Look, Theme

CELL_W, CELL_H, SIZE, BASELINE, PAD = 8.4, 18.0, 14, 13.5, 10.0
FONTS = (
    "'JetBrains Mono','Cascadia Mono','DejaVu Sans Mono',Menlo,Consolas,'Noto Sans Mono CJK SC','Noto Sans CJK SC',"
    "'PingFang SC','Microsoft YaHei',monospace"
)
LINES = "─│┌┐└┘├┤┬┴┼"


def svg(canvas: Canvas, theme: Theme, title: str, description: str = "") -> str:
    """``canvas`` as SVG text in ``theme``; the mono theme is drawn black on white.

    ``title`` and ``description`` become the picture's accessible name (role img).
    """
    width = canvas.width * CELL_W + 2 * PAD
    height = canvas.height * CELL_H + 2 * PAD
    body: list[str] = []
    for y, row in enumerate(canvas.rows()):
        x = 0
        for span in row:
            body += _span(x, y, span, theme)
            x += width_of(span.text)
    name, about = escape(title), escape(description or title)
    mark = f"{crc32((title + str(canvas)).encode('utf-8', 'replace')):08x}"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-labelledby="t{mark} d{mark}" font-family="{FONTS}" font-size="{SIZE}" '
        'xml:space="preserve">',
        f'<title id="t{mark}">{name}</title>', f'<desc id="d{mark}">{about}</desc>',
        f'<rect width="100%" height="100%" rx="8" fill="{theme.bg or "#ffffff"}"/>', *body, "</svg>", "",
    ])  # fmt: skip


def _colours(look: Look, theme: Theme) -> tuple[str, str]:
    fg, bg = look.fg or theme.fg or "#000000", look.bg or theme.bg or "#ffffff"
    return (bg, fg) if look.reverse else (fg, bg)


def _span(x: int, y: int, span: Span, theme: Theme) -> list[str]:
    look = theme.look(span.style)
    fg, bg = _colours(look, theme)
    left, top, cells = PAD + x * CELL_W, PAD + y * CELL_H, width_of(span.text)
    out = []
    if bg != (theme.bg or "#ffffff"):
        out.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{cells * CELL_W:.1f}" height="{CELL_H}" fill="{bg}"/>')
    for start, text in _runs(span.text):
        out.append(_text(left + start * CELL_W, top + BASELINE, text, fg, look))
    if look.strike and span.text.strip():
        line = top + CELL_H * 0.55
        end = left + cells * CELL_W
        out.append(f'<path d="M{left:.1f} {line:.1f}H{end:.1f}" stroke="{fg}"/>')
    return out + _lines(left, top, span.text, fg)


def _text(x: float, y: float, text: str, fg: str, look: Look) -> str:
    extra = ' font-weight="bold"' if look.bold else ""
    extra += ' text-decoration="underline"' if look.underline else ""
    extra += f' font-size="{SIZE + 1.5}"' if width_of(text) > len(text) else ""
    length = f' textLength="{width_of(text) * CELL_W:.1f}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{fg}"{extra}{length}>{escape(text)}</text>'


def _runs(text: str) -> list[tuple[int, str]]:
    """Words with the cell each begins at; blanks and line glyphs are left out; wide characters stand alone."""
    runs: list[tuple[int, str]] = []
    x = 0
    open_run = False
    for char in text:
        wide = width_of(char)
        if char == " " or char in LINES:
            open_run = False
        elif open_run and char.isascii():
            runs[-1] = (runs[-1][0], runs[-1][1] + char)
        else:
            runs.append((x, char))
            open_run = char.isascii()
        x += wide
    return runs


_DIRECTIONS = {
    "─": "lr", "│": "ud", "┌": "dr", "┐": "dl", "└": "ur", "┘": "ul", "├": "udr", "┤": "udl", "┬": "dlr",
    "┴": "ulr", "┼": "udlr",
}  # fmt: skip


def _lines(left: float, top: float, text: str, fg: str) -> list[str]:
    """Line glyphs as strokes, so that they join whatever the font."""
    path = ""
    x = left
    for char in text:
        middle_x, middle_y = x + CELL_W / 2, top + CELL_H / 2
        for way in _DIRECTIONS.get(char, ""):
            path += f"M{middle_x:.1f} {middle_y:.1f}" + {
                "l": f"H{x:.1f}", "r": f"H{x + CELL_W:.1f}", "u": f"V{top:.1f}", "d": f"V{top + CELL_H:.1f}"
            }[way]  # fmt: skip
        x += CELL_W * width_of(char)
    return [f'<path d="{path}" stroke="{fg}" fill="none"/>'] if path else []
