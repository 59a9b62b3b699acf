"""A lesson played through its agent on the embedded device, and what must be true of such a run."""

from __future__ import annotations

import queue
import time
from pathlib import Path

import msgspec

from tour.agent.client import connect_local, connect_replay
from tour.agent.player import Connect, Player
from tour.agent.session import Item
from tour.dev.finding import Finding, line_of
from tour.errors import TimedOut, TourError
from tour.i18n import Lang
from tour.lesson.differences import EMBEDDED, unlike
from tour.lesson.model import Check, Lesson, LessonError, Predict
from tour.lesson.prediction import Prediction, right_choice
from tour.trace import events as ev
from tour.trace import paths, store
from tour.trace.state import State
from tour.trace.transcript import transcript
from tour.view.panels.rows import text_rows
from tour.view.screen import MIN_HEIGHT, MIN_WIDTH, compose
from tour.view.ui import Ui

PATIENCE = 60.0
LANGS: tuple[Lang, ...] = ("en", "zh")


class Took(msgspec.Struct, frozen=True):
    """The states of a step: before it, when it had begun (so that the last step's call is no longer its last call),
    and after it."""

    before: State
    begun: State
    after: State


class Run(msgspec.Struct):
    """One run of a lesson: the states of each step, its events, and parts that did not fit the screen as (language,
    step, part)."""

    vary: str
    steps: dict[str, Took] = {}
    events: list[ev.Event] = []
    cut: list[tuple[Lang, str, str]] = []


def play(lesson: Lesson, vary: str = "", connect: Connect = connect_local) -> Run:
    """Every step of the lesson, or of its fork, in order, on the embedded device. Raises TourError."""
    run = Run(vary)
    player = Player(lesson, "en", connect, "embedded")
    items: queue.Queue[Item] = queue.Queue()
    player.mailbox.attach(items.put)
    fork = next((each for each in lesson.vary if each.id == vary), None)
    try:
        if fork is not None and "skip" not in fork.set:
            player.fork(vary)
        else:
            player.open()
        _wait(player, items)
        while not player.ended:
            if fork is not None and player.vary is None and player.step.id == fork.at:
                player.fork(vary)
                _wait(player, items)
            _step(player, items, run)
            player.next_step()
        run.events = list(player.timeline.events)
    finally:
        player.close()
    return run


def _wait(player: Player, items: queue.Queue[Item]) -> None:
    deadline = time.monotonic() + PATIENCE
    while player.busy and player.error is None:
        try:
            player.hear(items.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            raise TimedOut(f"Nothing was heard from the agent for {PATIENCE:.0f} seconds.") from None
    if player.error is not None:
        raise player.error


def _step(player: Player, items: queue.Queue[Item], run: Run) -> None:
    """One step, its words looked at as a learner sees them: before it, and after the question was answered."""
    _look(player, run, "orient")
    before = player.before
    player.act()
    _wait(player, items)
    after = player.timeline.edge
    if player.vary is not None or not run.vary:
        mark = player.timeline.mark(player.step.id)
        begun = player.timeline.at(mark.position + 1) if mark else before
        run.steps[player.step.id] = Took(before, begun, after)
    if player.step.predict is not None:
        player.prediction = Prediction(player.step.predict)
        player.prediction.choose(right_choice(player.step.predict.choice, before, after))
        player.prediction.settle(before, after)
    _look(player, run, "explain")


def _look(player: Player, run: Run, phase: str) -> None:
    player.phase = "explain" if phase == "explain" else "orient"
    for lang in LANGS:
        player.lang = lang
        shown = "\n".join(compose(player.moment(), Ui(), MIN_WIDTH, MIN_HEIGHT).text_rows())
        rows = text_rows(getattr(player.words(player.step), phase), MIN_WIDTH - 4)
        if any("".join(piece.text for piece in row) not in shown for row in rows):
            run.cut.append((lang, player.step.id, phase))
    player.lang = "en"


def faults(lesson: Lesson, runs: list[Run]) -> list[Finding]:
    """What is wrong with a lesson as these runs show it; the first one is its normal run."""
    found = [each for run in runs for each in _of_run(lesson, run)]
    return found + recording_faults(lesson, runs[0]) if runs else found


def _of_run(lesson: Lesson, run: Run) -> list[Finding]:
    path = Path(lesson.folder) / "lesson.toml"
    found = []
    for step_id, took in run.steps.items():
        step = lesson.spec(step_id, run.vary)
        values = {"step": f"{step_id}@{run.vary}" if run.vary else step_id}
        found += [each for check in step.check for each in _check(path, values, check, took)]
        if step.predict is not None:
            found += _prediction(path, values, step.predict, took)
    return found + _cut(lesson, run)


def _prediction(path: Path, values: dict[str, str], predict: Predict, took: Took) -> list[Finding]:
    """Exactly one choice comes true of what happened."""
    if right_choice(predict.choice, took.before, took.after):
        return []
    holding = [each for each in predict.choice if all(paths.holds(when, took.before, took.after) for when in each.when)]
    line = line_of(path, f'id = "{values["step"].partition("@")[0]}"', "[step.predict]")
    true = ", ".join(each.id for each in holding) or "-"
    return [Finding(path, line, "prediction", values | {"true": true})]


def _check(path: Path, values: dict[str, str], check: Check, took: Took) -> list[Finding]:
    """It holds after the step, and not when the step has just begun, unless it says that nothing changes."""
    line = line_of(path, f'id = "{values["step"].partition("@")[0]}"', check.expr)
    values = values | {"expr": check.expr, "actual": paths.actual(check.expr, took.before, took.after)}
    if not paths.holds(check.expr, took.before, took.after):
        return [Finding(path, line, "check_fails", values)]
    if not check.expr.startswith("unchanged ") and paths.holds(check.expr, took.before, took.begun):
        return [Finding(path, line, "check_held", values)]
    return []


def _cut(lesson: Lesson, run: Run) -> list[Finding]:
    found = []
    for lang, step, part in run.cut:
        path = Path(lesson.folder) / f"text.{lang}.md"
        own = f"{step}@{run.vary}"
        section = own if own in lesson.texts[lang] else step
        values = {"section": section, "part": part}
        if section == own or not run.vary:
            found.append(Finding(path, line_of(path, f"## {section}", f"### {part}"), "does_not_fit", values))
    return found


def recording_faults(lesson: Lesson, run: Run) -> list[Finding]:
    """Whether the shipped recording is of this lesson as it is now: same steps, same checks, equal transcript."""
    path = lesson.recording_path()
    if not path.is_file():
        return []
    try:
        recorded = list(store.load(path).events)
    except TourError as error:
        return [Finding(path, 1, "recording_broken", {"error": error.what})]
    found = [
        Finding(path, 1, "recording_stale", {"lesson": lesson.id, "what": what, "folder": Path(lesson.folder).name})
        for what in _outdated(recorded, lesson, run)
    ]
    return found


def _outdated(recorded: list[ev.Event], lesson: Lesson, run: Run) -> list[str]:
    steps = [event.data.step for event in recorded if isinstance(event.data, ev.Step) and event.data.mark == "begin"]
    found = [] if tuple(steps) == lesson.step_ids else [f"steps {', '.join(steps)}"]
    scenes = [event.data.scene for event in recorded if isinstance(event.data, ev.Hello)]
    found += ["scene.py is another now"] if scenes != [lesson.scene_digest()] else []
    noted = [
        (event.data.step, event.data.id, event.data.expr) for event in recorded if isinstance(event.data, ev.Check)
    ]
    wanted = [(step.id, check.id, check.expr) for step in lesson.step for check in step.check]
    found += [f"check {step} {name}: {expr}" for step, name, expr in noted if (step, name, expr) not in wanted]
    found += [f"check {step} {name}: {expr}" for step, name, expr in wanted if (step, name, expr) not in noted]
    return found + unlike(lesson.id, transcript(recorded), transcript(run.events), EMBEDDED)


def runs_of(lesson: Lesson) -> list[Run]:
    """The lesson's normal run and one of each fork; of one that needs the kernel's own device, its recording. Raises
    TourError."""
    if not lesson.scene_path().is_file():
        raise LessonError(f"The lesson in {Path(lesson.folder).name} has no scene.py.")
    if "kernel" in lesson.needs:
        return [play(lesson, connect=lambda command: connect_replay(lesson.recording_path()))]
    return [play(lesson), *(play(lesson, vary.id) for vary in lesson.vary)]
