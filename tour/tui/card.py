"""A card over the lesson: words to read, or a short list to choose from. Drawn on the same canvas. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tour.view.canvas import Canvas
from tour.view.text import folded, wrap

WIDEST = 76


@dataclass(frozen=True)
class Option:
    """A line to choose; ``id`` is what choosing it means."""

    id: str
    title: str
    text: str = ""


@dataclass(frozen=True)
class Card:
    """``id`` says what the card is for; ``lines`` are paragraphs, ``foot`` the keys; ``cursor`` the option that
    Enter takes; ``top`` the first row shown when there are too many; ``code`` says that lines are code, ``low`` that
    the card lies at the bottom, so that what is above can be seen."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    foot: str = ""
    cursor: int = 0
    top: int = 0
    style: str = "text"
    code: bool = False
    low: bool = False

    def moved(self, by: int) -> Card:
        """With the cursor (or, without options, the text) moved."""
        if self.options:
            return replace(self, cursor=(self.cursor + by) % len(self.options))
        return replace(self, top=max(0, self.top + by))

    @property
    def chosen(self) -> str:
        """Id of the option under the cursor, empty without options."""
        return self.options[self.cursor].id if self.options else ""

    def option(self, number: int) -> str:
        """Id of option ``number`` (0 first), empty when there is none."""
        return self.options[number].id if 0 <= number < len(self.options) else ""


def draw(card: Card, canvas: Canvas) -> None:
    """Put the card in the middle of the canvas; its targets are ``option:N``, and ``card:close`` anywhere else."""
    width = min(WIDEST, canvas.width - 4)
    body = [("", "text", ""), *_body(card, width - 4)]
    height = min(len(body) + 4, canvas.height - 2)
    x, y = (canvas.width - width) // 2, canvas.height - height - 1 if card.low else (canvas.height - height) // 2
    canvas.hit("card:close", 0, 0, canvas.width, canvas.height)
    canvas.hit("card:stay", x, y, width, height)
    for row in range(y, y + height):
        canvas.put(x, row, " " * width)
    _frame(card, canvas, x, y, width, height)
    top = min(card.top, max(0, len(body) - (height - 4)))
    for row, (text, style, target) in enumerate(body[top : top + height - 4]):
        canvas.put(x + 2, y + 1 + row, text.ljust(1), style, limit=width - 4)
        if target:
            canvas.hit(target, x + 1, y + 1 + row, width - 2)


def _frame(card: Card, canvas: Canvas, x: int, y: int, width: int, height: int) -> None:
    with_lines = "key"
    horizontal = "-" if canvas.ascii_only else "─"
    vertical = "|" if canvas.ascii_only else "│"
    corners = "++++" if canvas.ascii_only else "┌┐└┘"
    canvas.put(x, y, corners[0] + horizontal * (width - 2) + corners[1], with_lines)
    canvas.put(x, y + height - 1, corners[2] + horizontal * (width - 2) + corners[3], with_lines)
    for row in range(y + 1, y + height - 1):
        canvas.put(x, row, vertical, with_lines)
        canvas.put(x + width - 1, row, vertical, with_lines)
    canvas.put(x + 2, y, f" {card.title} ", "title", limit=width - 4)
    canvas.put(x + 2, y + height - 2, card.foot, "dim", limit=width - 4)


def _body(card: Card, room: int) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    broken = folded if card.code else wrap
    for paragraph in card.lines:
        rows += [(line, card.style, "") for line in broken(paragraph, room)] if paragraph else [("", "text", "")]
    if rows and card.options:
        rows.append(("", "text", ""))
    for number, option in enumerate(card.options):
        rows += _option(number, option, chosen=number == card.cursor, room=room)
    return rows


def _option(number: int, option: Option, *, chosen: bool, room: int) -> list[tuple[str, str, str]]:
    mark = ">" if chosen else " "
    head = (f"{mark} {number + 1}  {option.title}", "turn" if chosen else "title", f"option:{number}")
    more = [(f"     {line}", "text", f"option:{number}") for line in wrap(option.text, room - 5)] if option.text else []
    return [head, *more]
