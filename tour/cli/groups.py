"""``tour lab``, ``tour dev`` and ``tour exercise``: commands that come in groups."""

from __future__ import annotations

from typing import Annotated

import typer

from tour.cli.typed import LANG, Kernel, Language, finish, language, words

lab = typer.Typer(help=words("help_lab"), no_args_is_help=True, rich_markup_mode=None)
dev = typer.Typer(help=words("help_dev"), no_args_is_help=True, rich_markup_mode=None)
exercise = typer.Typer(help=words("help_exercise"), no_args_is_help=True, rich_markup_mode=None)
Folder = Annotated[str, typer.Argument(metavar="[DIR]", show_default=False, help=words("opt_exercise_dir"))]


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


@exercise.command("list", help=words("help_exercise_list"))
def exercise_list(
    json: Annotated[bool, typer.Option("--json", help=words("opt_report_json"))] = False, lang: Language = ""
) -> None:
    """Name the exercises."""
    from tour.cli.exercise import list_exercises

    finish(lambda: list_exercises(language(lang), json), language(lang))


@exercise.command("start", help=words("help_exercise_start"))
def exercise_start(
    name: Annotated[str, typer.Argument(metavar="NAME", help=words("opt_exercise_name"))],
    folder: Folder = "",
    from_step: Annotated[int, typer.Option(metavar="N", help=words("opt_from_step"))] = 1,
    lang: Language = "",
) -> None:
    """Begin one."""
    from tour.cli.exercise import start

    finish(lambda: start(name, folder, from_step, language(lang)), language(lang))


@exercise.command("check", help=words("help_exercise_check"))
def exercise_check(
    folder: Folder = ".",
    watch: Annotated[bool, typer.Option("--watch", help=words("opt_exercise_watch"))] = False,
    screen: Annotated[bool, typer.Option("--screen", help=words("opt_exercise_screen"))] = False,
    json: Annotated[bool, typer.Option("--json", help=words("opt_report_json"))] = False,
    isolation: Annotated[str, typer.Option(metavar="full|container", help=words("opt_isolation"))] = "full",
    lang: Language = "",
) -> None:
    """Have it checked."""
    from tour.cli.exercise import CheckOptions, check

    options = CheckOptions(folder, language(lang), watch, json, isolation)
    if screen:
        from tour.cli.exercise_screen import open_screen

        finish(lambda: open_screen(folder, options.lang, isolation), options.lang)
    finish(lambda: check(options), options.lang)


@exercise.command("hint", help=words("help_exercise_hint"))
def exercise_hint(folder: Folder = ".", lang: Language = "") -> None:
    """Be helped."""
    from tour.cli.exercise import hint

    finish(lambda: hint(folder, language(lang)), language(lang))


@exercise.command("solution", help=words("help_exercise_solution"))
def exercise_solution(folder: Folder = ".", lang: Language = "") -> None:
    """See the reference."""
    from tour.cli.exercise import solution

    finish(lambda: solution(folder, language(lang)), language(lang))


@exercise.command("reset", help=words("help_exercise_reset"))
def exercise_reset(folder: Folder = ".", lang: Language = "") -> None:
    """Begin anew."""
    from tour.cli.exercise import reset

    finish(lambda: reset(folder, language(lang)), language(lang))


@exercise.command("status", help=words("help_exercise_status"))
def exercise_status(
    folder: Folder = ".",
    json: Annotated[bool, typer.Option("--json", help=words("opt_report_json"))] = False,
    lang: Language = "",
) -> None:
    """Where one is."""
    from tour.cli.exercise import status

    finish(lambda: status(folder, language(lang), json), language(lang))
