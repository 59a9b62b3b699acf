"""The least Textual application: what ``tour start`` is measured against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

MARK = "a bare application is complete"


class Bare(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(MARK)


if __name__ == "__main__":
    Bare().run()
