"""``tour exercise check --screen``: the learner's folder and the judge, as the screen wants them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tour.classroom import told
from tour.classroom.judges import Asked, JudgeLost, Judges
from tour.classroom.pictures import differing, queue_of
from tour.classroom.workspace import Workspace
from tour.cli.start import on_terminal
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.exercise import HINTS
from tour.lesson.verdict import CheckVerdict, Verdict
from tour.trace.events import decode
from tour.trace.state import State
from tour.trace.timeline import Timeline
from tour.view.desk import Told
from tour.view.words import sentence

UNBROKEN = 10_000
"""Cells: the screen breaks lines where it wants."""


class Work:
    """One exercise at work; ``close`` ends its judge."""

    def __init__(self, folder: str, lang: Lang, isolation: str) -> None:
        self._work, self._lang = Workspace(Path(folder)), lang
        self.title = self._work.exercise.title.get(lang)
        self.file = self._work.exercise.file
        self._stack = ExitStack()
        self._judges: Judges[str] = self._stack.enter_context(Judges[str](1, isolation))

    def stamp(self) -> object:
        """See ``tui.desk.Work``."""
        try:
            found = self._work.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def check(self) -> Told:
        """See ``tui.desk.Work``."""
        state, source = self._work.state, self._work.source()
        asked = Asked(self._work.exercise.name, self._work.folder.absolute(), state.seed)
        for _, outcome in self._judges.run(iter([("it", asked)])):
            if outcome.verdict is None:
                raise JudgeLost("The judge failed; your code was not judged.", outcome.failed, "tour doctor")
            verdict = outcome.verdict
        self._work.note(attempts=state.attempts + 1, solved=state.solved or verdict.solved)
        return self._told(verdict, source)

    def _told(self, verdict: Verdict, source: str) -> Told:
        lines = [*told.lines(self._work.exercise, verdict, source, self._lang, pictures=False, width=UNBROKEN)]
        if verdict.solved:
            lines += ["", *self._work.exercise.text(self._lang, "after").split("\n\n")]
        shown = next((one for one in verdict.checks if one.found), None)
        return Told(tuple(lines)) if shown is None else stepped(tuple(lines), shown, self._lang)

    def hint(self) -> str:
        """See ``tui.desk.Work``."""
        shown = min(self._work.state.hints + 1, HINTS)
        self._work.note(hints=shown)
        head = t(self._lang, "exercise.hint", n=shown, count=HINTS)
        return f"{head}\n{self._work.exercise.hint[shown - 1].get(self._lang)}"

    def close(self) -> None:
        """See ``tui.desk.Work``."""
        self._stack.close()


def stepped(lines: tuple[str, ...], shown: CheckVerdict, lang: Lang) -> Told:
    """The ring after every access of the learner's code in the check that broke."""
    events = [decode(line.encode()) for line in shown.found]
    timeline, queue = Timeline(), queue_of(shown.found)
    states: list[State] = []
    said: list[str] = []
    for event in events:
        before, state = timeline.edge, timeline.append(event)
        if event.where:
            states = states or [before]
            states.append(state)
            said.append(f"{event.where}  {sentence(event, state, lang)}")
    if not states:
        return Told(lines)
    wanted = Timeline(decode(line.encode()) for line in shown.wanted).edge
    marked = differing(wanted.rings[queue], timeline.edge.rings[queue])
    begin, end = (t(lang, f"exercise.desk_{word}") for word in ("begin", "end" if marked else "same"))
    return Told(lines, (*states, timeline.edge), (begin, *said, end), tuple(marked), queue)


def open_screen(folder: str, lang: Lang, isolation: str) -> int:
    """The screen. Raises UsageError without a terminal, WorkspaceError."""
    if not on_terminal():
        raise UsageError("There is no terminal to draw on.", "", "tour exercise check --watch")
    from dataclasses import replace

    from tour.tui.desk import run_desk
    from tour.tui.options import options

    return run_desk(Work(folder, lang, isolation), replace(options(), lang=lang))
