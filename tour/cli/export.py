"""``tour export``: a lesson's recording as a program, strace's lines, a diagram, captured frames, pictures."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import msgspec

from tour.agent.moments import played
from tour.cli.options import Where
from tour.cli.output import say, tell_bytes
from tour.cli.replay import lesson_of, picture_of, size_of
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.model import load
from tour.lesson.sandbox import SANDBOX
from tour.trace import events as ev
from tour.trace import store

FORMS = ("c", "python", "strace", "svg", "pcapng", "mermaid", "player")


class ExportOptions(msgspec.Struct, frozen=True):
    """What ``tour export`` was asked for: ``source`` is a recording's file, whose own lesson ``lesson`` '' stands for;
    ``where.device`` '' stands for the lesson's own recording."""

    lesson: str
    form: str
    output: str
    lang: Lang
    where: Where
    vary: str = ""
    source: str = ""
    at: str = ""
    size: str = "160x48"


def export(options: ExportOptions) -> int:
    """Write the recording in that form. Raises TourError."""
    if options.form not in FORMS:
        why, fix = f"Choose one of {', '.join(FORMS)}.", "choose one, such as --as c"
        raise UsageError(f"There is no form '{options.form}'.", why, fix)
    if not options.lesson and not options.source:
        raise UsageError("There is nothing to export.", "", "tour export 8 --as c, or tour export --as c --from FILE")
    if options.lesson == SANDBOX:
        _check_sandbox(options)
    recording = _recording(options)
    found = recording.hello.lesson
    if not options.lesson:
        options = msgspec.structs.replace(options, lesson=found)
    if options.form == "player":
        _put(_player(recording, options), options)
        return 0
    if found != (SANDBOX if options.lesson == SANDBOX else load(options.lesson).id):
        what = f"{recording.path} is a recording of lesson {found}, not {options.lesson}."
        raise UsageError(what, "", f"tour export {found} --as {options.form} --from FILE")
    if options.form == "svg":
        return _pictures(recording, options)
    _put(_made(recording.events, options.form), options)
    return 0


def _check_sandbox(options: ExportOptions) -> None:
    """Raises UsageError for what a sandbox's recording cannot become."""
    if not options.source:
        what = "The sandbox has no recording of its own."
        raise UsageError(what, "Only what you keep with -o can be exported, with --from.", "tour sandbox -o FILE")
    if options.form in ("c", "python"):
        raise UsageError(
            "A sandbox cannot be exported as a program.",
            "What you did as its device, to doorbells and with faults is no call that a program could make again.",
            "choose strace, mermaid, pcapng or svg",
        )


def _recording(options: ExportOptions) -> store.Recording:
    """The recording named; else a fresh run where a device or a fork was asked for; else the lesson's own."""
    if options.source:
        return store.load(Path(options.source))
    if not (options.vary or options.where.device or options.where.lab):
        return store.load(load(options.lesson).recording_path())
    from tour.cli.run import RunOptions, play

    where = msgspec.structs.replace(options.where, device=options.where.device or "auto")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        wanted = RunOptions(options.lesson, where, options.lang, quiet=True, vary=options.vary, output=str(path))
        play(load(options.lesson), wanted)
        return store.load(path)


def _made(events: tuple[ev.Event, ...], form: str) -> bytes:
    from tour.trace.export import c, mermaid, pcapng, python, strace
    from tour.trace.export.walk import program

    if form == "pcapng":
        return pcapng.data(events)
    if form in ("strace", "mermaid"):
        return {"strace": strace.text, "mermaid": mermaid.text}[form](events).encode()
    return {"c": c.text, "python": python.text}[form](program(events)).encode()


def _player(recording: store.Recording, options: ExportOptions) -> bytes:
    """The file that the site's player opens; of a recording of no lesson without a lesson's words."""
    from tour.docsgen.player.file import player_file

    return player_file(recording, lesson_of(recording) if recording.hello.lesson else None, options.lang)


def _put(data: bytes, options: ExportOptions) -> None:
    if not options.output:
        if options.form == "pcapng" and sys.stdout is not None and sys.stdout.isatty():
            raise UsageError("A capture file is nothing for a terminal.", "", "give it a file: -o FILE")
        tell_bytes(data)
        return
    try:
        Path(options.output).write_bytes(data)
    except OSError as error:
        raise UsageError(f"{options.output} cannot be written: {error.strerror}.") from error
    say(t(options.lang, "cli.exported", path=options.output))


def _pictures(recording: store.Recording, options: ExportOptions) -> int:
    """One picture a step in the folder ``-o``; with ``--at`` the one of that step in the file ``-o``."""
    if not options.output:
        raise UsageError("Pictures need a place.", "", "-o FOLDER, or --at STEP -o FILE")
    lesson = lesson_of(recording)
    if options.at and options.at not in lesson.step_ids:
        raise UsageError(f"Lesson {lesson.id} has no step '{options.at}'.", f"It has {', '.join(lesson.step_ids)}.")
    size = size_of(options.size)
    for player in played(lesson, recording, options.lang):
        step = player.step.id
        if options.at in ("", step):
            path = (
                Path(options.output)
                if options.at
                else _within(options.output, f"{player.index + 1:02d}-{_file_name(step)}.svg")
            )
            _put(picture_of(player.moment(), size).encode(), msgspec.structs.replace(options, output=str(path)))
    return 0


def _file_name(step: str) -> str:
    """A step's name as part of a file's; an order's number stands before it already."""
    return re.sub(r"[^\w.]+", "-", step.split(" ", 1)[-1]).strip("-")


def _within(folder: str, name: str) -> Path:
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}.") from error
    return Path(folder) / name
