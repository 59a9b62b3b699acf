"""``tour``: the commands and their options. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tour.cli import groups
from tour.cli.output import guarded, prepare_streams
from tour.cli.typed import (
    LANG,
    Device,
    Glyphs,
    InLab,
    Json,
    Kernel,
    Language,
    NoMotion,
    Plain,
    Ssh,
    StateDir,
    Theme,
    Vary,
    finish,
    language,
    words,
)

app = typer.Typer(
    name="tour", help=words("help"), no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)
app.add_typer(groups.lab, name="lab")
app.add_typer(groups.dev, name="dev")
app.add_typer(groups.exercise, name="exercise")


@app.command(help=words("help_start"))
def start(
    lesson: Annotated[str, typer.Argument(help=words("opt_lesson"))] = "",
    device: Device = "auto",
    lang: Language = "",
    plain: Plain = False,
    lab: InLab = False,
    kernel: Kernel = "",
    ssh: Ssh = "",
    glyphs: Glyphs = "auto",
    theme: Theme = "",
    no_motion: NoMotion = False,
    state_dir: StateDir = "",
    level: Annotated[str, typer.Option(metavar="watch|drive|type", help=words("opt_level"))] = "watch",
) -> None:
    """Open the course."""
    from msgspec.structs import replace

    from tour.cli.options import StartOptions, Where
    from tour.cli.start import start_lesson
    from tour.lesson.hands_on import level_of

    where = Where(device, lab, kernel, ssh)
    options = StartOptions(lesson, where, language(lang), plain, glyphs, theme, no_motion, state_dir)
    finish(lambda: start_lesson(replace(options, level=level_of(level))), options.lang)


@app.command(help=words("help_present"))
def present(
    lesson: Annotated[str, typer.Argument(help=words("opt_lesson"))] = "8",
    device: Device = "auto",
    lang: Language = "",
    lab: InLab = False,
    kernel: Kernel = "",
    ssh: Ssh = "",
    glyphs: Glyphs = "auto",
    theme: Theme = "",
    no_motion: NoMotion = False,
) -> None:
    """A lesson before a room."""
    from msgspec.structs import replace

    from tour.cli.options import StartOptions, Where
    from tour.cli.start import start_lesson

    where = Where(device, lab, kernel, ssh)
    options = StartOptions(lesson, where, language(lang), False, glyphs, theme, no_motion)
    finish(lambda: start_lesson(replace(options, lecture=True)), options.lang)


@app.command(help=words("help_run"))
def run(
    lesson: Annotated[str, typer.Argument(help=words("opt_lesson"))],
    device: Device = "auto",
    lang: Language = "",
    plain: Plain = False,
    json: Json = False,
    vary: Vary = "",
    form: Annotated[str, typer.Option("--as", help=words("opt_run_as"))] = "",
    lab: InLab = False,
    kernel: Kernel = "",
    ssh: Ssh = "",
) -> None:
    """Run a lesson from end to end."""
    from tour.cli.options import Where
    from tour.cli.run import RunOptions
    from tour.cli.run import run as run_lesson

    options = RunOptions(lesson, Where(device, lab, kernel, ssh), language(lang), json=json, vary=vary, form=form)
    if lesson == "all":
        from tour.cli.run_all import run_all

        finish(lambda: run_all(options), options.lang)
    finish(lambda: run_lesson(options), options.lang)


@app.command(help=words("help_record"))
def record(
    lesson: Annotated[str, typer.Argument(help=words("opt_lesson"))],
    output: Annotated[str, typer.Option("-o", "--output", help=words("opt_output"))],
    device: Device = "auto",
    lang: Language = "",
    vary: Vary = "",
    lab: InLab = False,
    kernel: Kernel = "",
    ssh: Ssh = "",
) -> None:
    """Keep a run in a file."""
    from tour.cli.options import Where
    from tour.cli.run import RunOptions
    from tour.cli.run import run as run_lesson

    where = Where(device, lab, kernel, ssh)
    if not output:
        raise typer.BadParameter(words("opt_output"))
    options = RunOptions(lesson, where, language(lang), quiet=True, vary=vary, output=output)
    if lesson == "all":
        from tour.cli.run_all import run_all

        finish(lambda: run_all(options), options.lang)
    finish(lambda: run_lesson(options), options.lang)


@app.command(help=words("help_sandbox"))
def sandbox(
    orders: Annotated[list[str] | None, typer.Option("--do", metavar="ORDERS", help=words("opt_do"))] = None,
    size: Annotated[int, typer.Option(metavar="NUM", help=words("opt_ring_size"))] = 8,
    base: Annotated[int, typer.Option(metavar="IDX", help=words("opt_ring_base"))] = 0,
    extras: Annotated[list[str] | None, typer.Option("--with", metavar="FEATURE", help=words("opt_with"))] = None,
    at: Annotated[str, typer.Option("--from", metavar="STEP", help=words("opt_sandbox_from"))] = "",
    output: Annotated[str, typer.Option("-o", "--output", help=words("opt_output"))] = "",
    device: Device = "auto",
    lang: Language = "",
    plain: Plain = False,
    lab: InLab = False,
    kernel: Kernel = "",
    glyphs: Glyphs = "auto",
    theme: Theme = "",
    no_motion: NoMotion = False,
) -> None:
    """Both hands on the ring."""
    from tour.cli.options import Where
    from tour.cli.sandbox import SandboxOptions
    from tour.cli.sandbox import sandbox as open_sandbox

    options = SandboxOptions(
        Where(device, lab, kernel), language(lang), plain, size, base, tuple(extras or ()), at, tuple(orders or ()),
        output, glyphs, theme, no_motion,
    )  # fmt: skip
    finish(lambda: open_sandbox(options), options.lang)


@app.command(help=words("help_replay"))
def replay(
    file: Annotated[str, typer.Argument(metavar=words("file"))],
    lang: Language = "",
    plain: Plain = False,
    json: Json = False,
    svg: Annotated[str, typer.Option(help=words("opt_svg"))] = "",
    at: Annotated[str, typer.Option(help=words("opt_at"))] = "",
    size: Annotated[str, typer.Option(help=words("opt_size"))] = "160x48",
    glyphs: Glyphs = "auto",
    theme: Theme = "",
    no_motion: NoMotion = False,
) -> None:
    """Play a recording."""
    from tour.cli.replay import ReplayOptions, replay_file

    options = ReplayOptions(file, language(lang), plain, json, svg, at, size, glyphs, theme, no_motion)
    finish(lambda: replay_file(options), options.lang)


@app.command("vhost-user", help=words("help_vhost_user"))
def vhost_user(
    path: Annotated[str, typer.Option("--socket", metavar="PATH", help=words("opt_socket"))],
    tap: Annotated[str, typer.Option(metavar="NAME", help=words("opt_tap"))] = "",
    netns: Annotated[bool, typer.Option("--netns", help=words("opt_netns"))] = False,
    port: Annotated[str, typer.Option(help=words("opt_port"))] = "",
    command: Annotated[str, typer.Option("--exec", metavar="COMMAND", help=words("opt_exec"))] = "",
    queues: Annotated[int, typer.Option(help=words("opt_queues"))] = 1,
    busy_poll: Annotated[int, typer.Option(metavar="MICROSECONDS", help=words("opt_busy_poll"))] = 0,
    gear: Annotated[str, typer.Option(help=words("opt_gear"))] = "engine",
    once: Annotated[bool, typer.Option("--once", help=words("opt_once"))] = False,
    watch: Annotated[bool, typer.Option("--watch", help=words("opt_serve_watch"))] = False,
    json: Json = False,
    output: Annotated[str, typer.Option("-o", "--output", help=words("opt_output"))] = "",
    lang: Language = "",
) -> None:
    """Serve guests over vhost-user."""
    from tour.cli.vhost_user import VhostUserOptions
    from tour.cli.vhost_user import vhost_user as run_server

    options = VhostUserOptions(
        path, language(lang), tap, netns, port, command, queues, busy_poll, gear, once, watch, json, output
    )
    finish(lambda: run_server(options), options.lang)


@app.command(help=words("help_guest"))
def guest(
    kind: Annotated[str, typer.Argument(metavar="uml|qemu", help=words("opt_guest_kind"))],
    machine: Annotated[str, typer.Option(help=words("opt_guest_machine"))] = "microvm",
    kernel: Annotated[str, typer.Option(help=words("opt_guest_kernel"))] = "",
    socket: Annotated[str, typer.Option(metavar="PATH", help=words("opt_guest_socket"))] = "",
    trials: Annotated[
        list[str] | None, typer.Option("--run", metavar="ping|iperf3", help=words("opt_guest_run"))
    ] = None,
    command: Annotated[str, typer.Option("--exec", metavar="COMMAND", help=words("opt_guest_exec"))] = "",
    memory: Annotated[int, typer.Option(metavar="MIB", help=words("opt_guest_memory"))] = 256,
    json: Json = False,
    lang: Language = "",
) -> None:
    """Boot a guest on our device."""
    from tour.cli.guest import GuestOptions
    from tour.cli.guest import guest as run_guest

    options = GuestOptions(
        kind, language(lang), machine, kernel, socket, tuple(trials or ()), command, memory, json
    )  # fmt: skip
    finish(lambda: run_guest(options), options.lang)


@app.command(help=words("help_bench"))
def bench(
    rows: Annotated[list[str] | None, typer.Argument(metavar="[ROW...]", show_default=False)] = None,
    rounds: Annotated[int, typer.Option(help=words("opt_rounds"))] = 15,
    json: Annotated[bool, typer.Option("--json", help=words("opt_bench_json"))] = False,
    svg: Annotated[str, typer.Option(metavar="FILE", help=words("opt_bench_svg"))] = "",
    source: Annotated[str, typer.Option("--from", metavar="FILE", help=words("opt_bench_from"))] = "",
    list_rows: Annotated[bool, typer.Option("--list", help=words("opt_bench_list"))] = False,
    lang: Language = "",
) -> None:
    """Measure."""
    from tour.cli.bench import BenchOptions
    from tour.cli.bench import bench as measure

    options = BenchOptions(rows or [], language(lang), rounds, json, svg, source, list_rows)
    finish(lambda: measure(options), options.lang)


@app.command(help=words("help_watch"))
def watch(
    path: Annotated[str, typer.Argument(metavar="[SOCKET]", show_default=False, help=words("opt_watch_socket"))] = "",
    qmp: Annotated[str, typer.Option("--qmp", metavar="SOCK", help=words("opt_qmp"))] = "",
    plain: Annotated[bool, typer.Option("--plain", help=words("opt_watch_plain"))] = False,
    json: Annotated[bool, typer.Option("--json", help=words("opt_watch_json"))] = False,
    output: Annotated[str, typer.Option("-o", "--output", help=words("opt_output"))] = "",
    lang: Language = "",
    glyphs: Glyphs = "auto",
    theme: Theme = "",
) -> None:
    """Watch a device at work."""
    from tour.cli.watch import WatchOptions
    from tour.cli.watch import watch as look_on

    options = WatchOptions(language(lang), path, qmp, plain, json, output, glyphs, theme)
    finish(lambda: look_on(options), options.lang)


@app.command(help=words("help_export"))
def export(
    form: Annotated[str, typer.Option("--as", help=words("opt_as"))],
    lesson: Annotated[str, typer.Argument(help=words("opt_export_lesson"))] = "",
    output: Annotated[str, typer.Option("-o", "--output", help=words("opt_export_output"))] = "",
    source: Annotated[str, typer.Option("--from", help=words("opt_from"))] = "",
    vary: Vary = "",
    device: Annotated[str, typer.Option(help=words("opt_export_device"))] = "",
    at: Annotated[str, typer.Option(help=words("opt_at"))] = "",
    size: Annotated[str, typer.Option(help=words("opt_size"))] = "160x48",
    lang: Language = "",
    lab: InLab = False,
    kernel: Kernel = "",
) -> None:
    """Write a recording in another form."""
    from tour.cli.export import ExportOptions
    from tour.cli.export import export as export_lesson
    from tour.cli.options import Where

    where = Where(device, lab, kernel)
    options = ExportOptions(lesson, form, output, language(lang), where, vary, source, at, size)
    finish(lambda: export_lesson(options), options.lang)


@app.command(help=words("help_grade"))
def grade(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", show_default=False)],
    form: Annotated[str, typer.Option("--format", metavar="FORMATS", help=words("opt_grade_format"))] = "text",
    out: Annotated[str, typer.Option("--out", metavar="DIR", help=words("opt_grade_out"))] = "",
    jobs: Annotated[int, typer.Option(help=words("opt_grade_jobs"))] = 0,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help=words("opt_grade_exit_zero"))] = False,
    isolation: Annotated[str, typer.Option(metavar="full|container", help=words("opt_grade_isolation"))] = "full",
    exercise: Annotated[str, typer.Option(metavar="NAME", help=words("opt_grade_exercise"))] = "",
    roster: Annotated[str, typer.Option(metavar="FILE", help=words("opt_grade_roster"))] = "",
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help=words("opt_grade_seed"))] = None,
    lang: Language = "",
) -> None:
    """Grade submissions."""
    from tour.cli.grade import GradeOptions
    from tour.cli.grade import grade as grade_all

    options = GradeOptions(
        paths, language(lang), form, out, jobs, exit_zero, isolation, exercise, roster, seed
    )  # fmt: skip
    finish(lambda: grade_all(options), options.lang)


@app.command("list", help=words("help_list"))
def list_lessons(json: Json = False, lang: Language = "", state_dir: StateDir = "") -> None:
    """Print the map of the course."""
    from tour.cli.list import list_course

    finish(lambda: list_course(language(lang), state_dir, as_json=json), language(lang))


@app.command(help=words("help_status"))
def status(json: Json = False, lang: Language = "", state_dir: StateDir = "") -> None:
    """Print how far the learner has come."""
    from tour.cli.status import print_status

    finish(lambda: print_status(language(lang), state_dir, as_json=json), language(lang))


@app.command(help=words("help_doctor"))
def doctor(
    json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help=words("opt_strict"))] = False,
    lang: Language = "",
    state_dir: StateDir = "",
) -> None:
    """Print what this machine can do."""
    from tour.cli.doctor import examine

    finish(lambda: examine(language(lang), state_dir, as_json=json, strict=strict), language(lang))


@app.command(help=words("help_glossary"))
def glossary(
    term: Annotated[str, typer.Argument(metavar="[TERM]", show_default=False)] = "",
    json: Annotated[bool, typer.Option("--json", help=words("opt_report_json"))] = False,
    lang: Language = "",
) -> None:
    """Tell the course's words."""
    from tour.cli.glossary import print_terms

    finish(lambda: print_terms(term, language(lang), json), language(lang))


@app.command(help=words("help_agent"), hidden=True)
def agent() -> None:
    """The far side of --ssh."""
    from tour.agent.relay import main as relay

    finish(relay, LANG)


@app.command(help=words("help_version"))
def version(json: Json = False) -> None:
    """Print the version."""
    from tour.cli.version import print_version

    finish(lambda: print_version(json), LANG)


def main() -> None:
    """Entry of the console scripts."""
    prepare_streams()
    sys.exit(guarded(_main))


def _main() -> int:
    try:
        app(standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    return 0


if __name__ == "__main__":
    main()
