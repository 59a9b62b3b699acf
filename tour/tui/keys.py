"""Every key: a stable id, the keys that do it, the action, and its words in the palette (``tui.keys.ID``)."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding

from tour.i18n import Lang, t


@dataclass(frozen=True)
class Key:
    """``id`` never changes (a person's keymap refers to it); ``keys`` are Textual's names, comma-separated."""

    id: str
    keys: str
    action: str
    listed: bool = True

    def words(self, lang: Lang) -> str:
        """What it does, for the palette and the help card."""
        return t(lang, f"tui.keys.{self.id}")

    @property
    def display(self) -> str:
        """The first key as a person reads it."""
        return _NAMES.get(self.keys.split(",")[0], self.keys.split(",")[0])


_NAMES = {
    "enter": "Enter", "left": "Left", "right": "Right", "space": "Space", "tab": "Tab", "shift+tab": "Shift+Tab",
    "home": "Home", "end": "End", "question_mark": "?", "left_square_bracket": "[", "right_square_bracket": "]",
    "ctrl+p": "Ctrl+P", "escape": "Esc", "up": "Up", "down": "Down",
    "pageup": "PgUp", "pagedown": "PgDn",
}  # fmt: skip

KEYS: tuple[Key, ...] = (
    Key("do", "enter", "do"),
    *(Key(f"answer{number}", str(number), f"answer({number - 1})", listed=False) for number in range(1, 7)),
    *(Key(f"letter_{key}", f"{key},{key.upper()}", f"letter({at})", listed=False) for at, key in enumerate("abc")),
    Key("letter_d", "D", "letter(3)", listed=False),
    Key("back", "left,p,pageup", "back"),
    Key("forward", "right,n", "forward"),
    Key("next", "pagedown,full_stop", "next", listed=False),
    Key("first", "home", "first"),
    Key("live", "end", "live"),
    Key("panel", "tab", "panel(1)"),
    Key("panel_back", "shift+tab", "panel(-1)"),
    Key("scroll_up", "up", "scroll(-1)"),
    Key("scroll_down", "down", "scroll(1)"),
    Key("play", "space", "play"),
    Key("slower", "left_square_bracket", "speed(-1)"),
    Key("faster", "right_square_bracket", "speed(1)"),
    Key("fork", "f", "fork"),
    Key("restart", "r", "restart"),
    Key("level", "w", "level"),
    Key("more", "d", "more"),
    Key("code", "x", "code"),
    Key("copy", "y", "copy"),
    Key("home", "h", "home"),
    Key("language", "L", "language"),
    Key("theme", "t", "theme"),
    Key("motion", "m", "motion"),
    Key("help", "question_mark,f1", "help"),
    Key("close", "escape", "close", listed=False),
    Key("quit", "q,ctrl+q", "leave"),
    Key("interrupt", "ctrl+c", "interrupt", listed=False),
)


HOME_KEYS: tuple[Key, ...] = (
    Key("open", "enter", "open"),
    Key("lesson_up", "up,k", "move(-1)"),
    Key("lesson_down", "down,j", "move(1)"),
    Key("step_back", "left", "step(-1)"),
    Key("step_on", "right", "step(1)"),
    Key("page_up", "pageup", "move(-8)", listed=False),
    Key("page_down", "pagedown", "move(8)", listed=False),
    Key("top", "home", "move(-99)", listed=False),
    Key("bottom", "end", "move(99)", listed=False),
    Key("search", "slash", "search"),
    Key("machine", "d", "machine"),
    *(key for key in KEYS if key.id in ("language", "theme", "motion", "help", "close", "quit", "interrupt")),
)
"""The keys of the map."""


def bindings(keys: tuple[Key, ...] = KEYS) -> list[Binding]:
    """Textual's bindings for all of them; the canvas draws its own footer, so none is shown."""
    return [Binding(key.keys, key.action, key.id, show=False, id=key.id) for key in keys]
