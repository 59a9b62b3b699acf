"""The story: what to watch, the question, what was answered, why it is so, what to check, where to branch off."""

from __future__ import annotations

from tour.lesson.moment import ChoiceView, PredictionView
from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.changes import changes
from tour.view.panels import checks
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows, text_rows

GAP = 5


def title(view: View) -> str:
    """What the panel is called in this phase."""
    moment = view.moment
    if moment.phase in ("predict", "do") and moment.prediction:
        return view.tr("story.prediction")
    if moment.phase == "observe":
        return view.tr("story.prediction" if moment.prediction else "story.observe")
    if moment.phase == "check" and (view.wide or not moment.checks):
        return view.tr("story.explain")
    return view.tr(f"story.{moment.phase}")


def rows(view: View, w: int, *, full: bool = False) -> list[Row]:
    """All rows of the story for ``w`` cells. ``full`` keeps the text to watch by above the question."""
    moment = view.moment
    makers = {
        "orient": _orient, "predict": _predict, "do": _predict, "observe": _observe, "explain": _explain,
        "check": _check, "vary": _vary,
    }  # fmt: skip
    found = makers[moment.phase](view, w)
    if full and moment.phase in ("predict", "observe"):
        found = [*found, *_reminder(view, w)]
    if view.ui.more and moment.more and not view.secret:
        found = [*found, [], *text_rows(moment.more, w)]
    return found


def _reminder(view: View, w: int) -> list[Row]:
    """Below the answer, where there is room: what was asked and what to watch."""
    moment = view.moment
    asked = moment.prediction if moment.phase == "observe" else None
    found = [[], *plain_rows(asked.question, w, "dim")] if asked else []
    return [*found, [], *text_rows(moment.text, w, "dim")] if moment.text else found


def draw(area: Area, view: View, found: list[Row]) -> None:
    """The rows, scrolled as the person wants."""
    draw_rows(area, found, view.ui.scroll.get("story", 0), view.tr("story.scroll"))


def soft(view: View, w: int) -> int:
    """How many of the last rows are sources, which may be scrolled to, so that the rings stay in sight."""
    return max(0, len(_refs(view, w)) - 1) if view.moment.phase == "explain" else 0


def _refs(view: View, w: int) -> list[Row]:
    return plain_rows("  ".join(view.moment.refs), w, "dim")


def _orient(view: View, w: int) -> list[Row]:
    return text_rows(view.moment.text, w)


def _predict(view: View, w: int) -> list[Row]:
    asked = view.moment.prediction
    if asked is None:
        return text_rows(view.moment.text, w)
    if asked.settled:
        return [*plain_rows(asked.question, w, "dim"), *verdict(view, asked, w)]
    tried = sum(choice.struck for choice in asked.choices)
    hint = plain_rows(view.tr("story.tried", n=max(0, 3 - tried)), w, "warn") if tried else []
    return [*plain_rows(asked.question, w), *choice_rows(view, asked.choices, w), *hint]


def choice_rows(view: View, choices: tuple[ChoiceView, ...], w: int) -> list[Row]:
    """The numbered choices: in one row, in two columns or one below another, as they fit."""
    labels = [_label(view, index, choice) for index, choice in enumerate(choices)]
    total = 2 + sum(width_of(text) + GAP for text, _ in labels) - GAP
    if total <= w:
        return [_one_row(labels)]
    half = w // 2
    if all(width_of(text) <= half - 3 for text, _ in labels):
        return [
            [Piece(2 + half * column, *labels[at + column], f"choice:{at + column + 1}")
             for column in range(2) if at + column < len(labels)]
            for at in range(0, len(labels), 2)
        ]  # fmt: skip
    return [row for index, label in enumerate(labels) for row in _own_rows(index, label, w)]


def _own_rows(index: int, label: tuple[str, str], w: int) -> list[Row]:
    lines = plain_rows(label[0], w - 4, label[1])
    shifted = [
        [Piece(2 if not at else 4, piece.text, piece.style, f"choice:{index + 1}") for piece in row]
        for at, row in enumerate(lines)
    ]
    return list(shifted)


def _one_row(labels: list[tuple[str, str]]) -> Row:
    row, x = [], 2
    for index, (text, style) in enumerate(labels):
        row.append(Piece(x, text, style, f"choice:{index + 1}"))
        x += width_of(text) + GAP
    return row


def _label(view: View, index: int, choice: ChoiceView) -> tuple[str, str]:
    text = f"{view.ui.choice_mark(index)} {choice.text}"
    if choice.struck:
        return f"{text} ({view.tr('story.no')})", "bad+off"
    return (f"> {text}", "turn") if view.ui.cursor == index else (text, "text")


def verdict(view: View, asked: PredictionView, w: int) -> list[Row]:
    """What was answered and whether it was right; a wrong one is met by its refutation."""
    numbered = [(f"{view.ui.choice_mark(index)} {choice.text}", choice) for index, choice in enumerate(asked.choices)]
    chosen = next((text for text, choice in numbered if choice.chosen), "")
    right = next((text for text, choice in numbered if choice.right), "")
    hit = any(choice.chosen and choice.right for choice in asked.choices)
    if hit:
        words = view.tr("story.right" if asked.tries <= 1 else "story.right_later", n=asked.tries)
        found = _sides(view.tr("story.you_said", text=chosen), words, w, "good")
    else:
        found = _sides(view.tr("story.you_said", text=chosen), view.tr("story.wrong"), w, "bad") if chosen else []
        found += plain_rows(view.tr("story.answer", text=right), w, "good") if right else []
    for refutation in asked.refutations:
        found += text_rows(refutation, w, "warn")
    return found


def _sides(left: str, right: str, w: int, style: str) -> list[Row]:
    lines = plain_rows(left, w)
    end = width_of(lines[-1][0].text) + GAP
    if end + width_of(right) <= w:
        return [*lines[:-1], [*lines[-1], Piece(end, right, style)]]
    return [*lines, *plain_rows(right, w, style)]


def _settled(view: View, w: int) -> list[Row]:
    asked = view.moment.prediction
    return verdict(view, asked, w) if asked and asked.settled else []


def _observe(view: View, w: int) -> list[Row]:
    return [*_settled(view, w), *plain_rows(changes(view.moment.before, view.state, view.lang, view.moment.show), w)]


def _explain(view: View, w: int) -> list[Row]:
    return [*_settled(view, w), *text_rows(view.moment.text, w), *_refs(view, w)]


def _check(view: View, w: int) -> list[Row]:
    listed = [] if view.wide else checks.rows(view, w)  # two columns have a panel of checks
    return listed or _explain(view, w)


def _vary(view: View, w: int) -> list[Row]:
    found: list[Row] = plain_rows(view.tr("story.vary_intro"), w, "dim")
    for index, vary in enumerate(view.moment.varies):
        words = f"{index + 1} {vary.title}" + (f": {vary.text}" if vary.text else "")
        style = "turn" if view.ui.cursor == index else "text" if vary.here else "dim"
        found += [[Piece(2, row[0].text, style, f"vary:{vary.id}")] for row in plain_rows(words, w - 2)]
    return found if view.moment.varies else plain_rows(view.tr("story.no_vary"), w, "dim")
