"""``python -m tour.cli.reference``: the help of every command as JSON, for the page of commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from tour.cli.main import app

WIDTH = 76


def helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """What a command and those below it say of themselves, by what one types."""
    context = command.context_class(command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    yield name, command.get_help(context)
    if isinstance(command, TyperGroup):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None and not found.hidden:
                yield from helps(found, f"{name} {inner}")


if __name__ == "__main__":
    print(json.dumps(dict(helps(typer.main.get_command(app), "tour"))))
