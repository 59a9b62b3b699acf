"""The quick way into ``tour start`` means exactly what Typer's way means."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer.main

from tour.cli import entry, main
from tour.cli.options import StartOptions

LINES = [
    "start", "start 8", "start 8 --device replay", "start --device=embedded 8", "start --lang zh --plain",
    "start 8 --no-motion --theme light --glyphs ascii", "start --lab --kernel=/k 8", "start --lang en --lang zh",
    "start 8 --level drive",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_both_ways_ask_for_the_same(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[StartOptions] = []

    def keep(options: StartOptions) -> int:
        asked.append(options)
        return 0

    monkeypatch.setattr("tour.cli.start.start_lesson", keep)
    with pytest.raises(SystemExit):
        main.app(line.split())
    assert entry.quick_start(line.split()) == asked[0]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "list",
        "start --help",
        "start 8 9",
        "start --lang xx",
        "start --level fast",
        "start --devise x",
        "start --device",
    ],  # fmt: skip
)
def test_anything_else_is_left_to_typer(line: str) -> None:
    assert entry.quick_start(line.split()) is None


def test_every_option_of_start_is_known_to_both() -> None:
    start = typer.main.get_command(main.app).commands["start"]  # type: ignore[attr-defined]
    options = {name for one in start.params for name in one.opts if name.startswith("--")} - {"--help"}
    assert options == {*entry.FLAGS, *entry.VALUES}


def test_the_quick_way_does_not_import_typer() -> None:
    code = "import sys; from tour.cli import entry; entry.quick_start(['start', '8']); print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
