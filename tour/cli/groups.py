"""``tour lab`` and ``tour dev``: commands that come in groups."""

from __future__ import annotations

from typing import Annotated

import typer

from tour.cli.typed import LANG, Kernel, Language, finish, language, words

lab = typer.Typer(help=words("help_lab"), no_args_is_help=True, rich_markup_mode=None)
dev = typer.Typer(help=words("help_dev"), no_args_is_help=True, rich_markup_mode=None)


@lab.command("run", help=words("help_lab_run"), context_settings={"ignore_unknown_options": True})
def lab_run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...")],
    kernel: Kernel = "",
    timeout: Annotated[float, typer.Option(help=words("opt_timeout"))] = 600.0,
    out: Annotated[str, typer.Option(help=words("opt_out"))] = "",
    cpus: Annotated[int, typer.Option(help=words("opt_cpus"))] = 0,
) -> None:
    """Run a command in the lab."""
    from tour.cli.lab import run_in_lab

    finish(lambda: run_in_lab(command, kernel, timeout, out, cpus), LANG)


@lab.command("fetch", help=words("help_lab_fetch"))
def lab_fetch(version: Annotated[str, typer.Argument(metavar="[VERSION]", help=words("opt_version"))] = "") -> None:
    """Fetch kernels for the lab."""
    from tour.cli.lab import fetch_kernels

    finish(lambda: fetch_kernels(version), LANG)


@lab.command("list", help=words("help_lab_list"))
def lab_list() -> None:
    """List the lab's kernels."""
    from tour.cli.lab import list_kernels

    finish(list_kernels, LANG)


@dev.command("check", help=words("help_dev_check"))
def dev_check(
    lessons: Annotated[list[str] | None, typer.Argument(metavar="[LESSON...]", help=words("opt_lesson"))] = None,
    linux_source: Annotated[str, typer.Option(help=words("opt_linux_source"))] = "",
    json: Annotated[bool, typer.Option("--json", help=words("opt_report_json"))] = False,
    lang: Language = "",
) -> None:
    """Look at lessons."""
    from tour.cli.dev import check_lessons

    finish(lambda: check_lessons(lessons or [], language(lang), linux_source, json), language(lang))


@dev.command("hash", help=words("help_dev_hash"))
def dev_hash(
    lessons: Annotated[list[str], typer.Argument(metavar="LESSON...", help=words("opt_lesson"))], lang: Language = ""
) -> None:
    """Note that translations are current."""
    from tour.cli.dev import note_hashes

    finish(lambda: note_hashes(lessons, language(lang)), language(lang))


@dev.command("claims", help=words("help_dev_claims"))
def dev_claims(
    lesson: Annotated[str, typer.Argument(help=words("opt_lesson"))],
    write: Annotated[bool, typer.Option("--write", help=words("opt_write"))] = False,
    lang: Language = "",
) -> None:
    """List or note claims."""
    from tour.cli.dev import list_claims

    finish(lambda: list_claims(lesson, language(lang), write), language(lang))
