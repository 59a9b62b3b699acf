"""What the commands' declarations share: options that many have, help in the locale's language, the way to leave."""

from __future__ import annotations

from typing import Annotated

import typer

from tour.cli.output import guarded
from tour.i18n import Lang, default_language, t

LANG = default_language()


def words(key: str) -> str:
    """A help text in the locale's language."""
    return t(LANG, f"cli.{key}")


Device = Annotated[str, typer.Option(help=words("opt_device"))]
Language = Annotated[str, typer.Option(help=words("opt_lang"))]
Plain = Annotated[bool, typer.Option("--plain", help=words("opt_plain"))]
Json = Annotated[bool, typer.Option("--json", help=words("opt_json"))]
InLab = Annotated[bool, typer.Option("--lab", help=words("opt_lab"))]
Ssh = Annotated[str, typer.Option("--ssh", metavar="HOST", help=words("opt_ssh"))]
Kernel = Annotated[str, typer.Option(help=words("opt_kernel"))]
Glyphs = Annotated[str, typer.Option(help=words("opt_glyphs"))]
Theme = Annotated[str, typer.Option(help=words("opt_theme"))]
NoMotion = Annotated[bool, typer.Option("--no-motion", help=words("opt_no_motion"))]
StateDir = Annotated[str, typer.Option(help=words("opt_state_dir"))]
Vary = Annotated[str, typer.Option(help=words("opt_vary"))]


def language(wanted: str) -> Lang:
    """``--lang``, else the locale's. Raises typer.BadParameter for a language we do not speak."""
    if wanted not in ("", "en", "zh"):
        raise typer.BadParameter(words("opt_lang"))
    return "zh" if wanted == "zh" else "en" if wanted == "en" else LANG


def finish(run: object, lang: Lang) -> None:
    """Leave with the exit code of ``run``."""
    assert callable(run)
    raise typer.Exit(guarded(run, lang))
