"""A lesson told as plain text, one line after another: the twin of the screen that any terminal can read."""

from __future__ import annotations

from collections.abc import Callable

from tour.agent.player import Player
from tour.i18n import local, t
from tour.lesson.prediction import right_choice
from tour.lesson.sandbox import SANDBOX
from tour.trace import events as ev
from tour.trace.export.step import FORMS, step_lines
from tour.view import text as cells
from tour.view.panels.figures import listing_lines
from tour.view.words import sentences

WIDTH = 78


class Teller:
    """Turns what a player shows into lines for ``out``."""

    def __init__(self, player: Player, out: Callable[[str], None], form: str = "") -> None:
        self.player = player
        self.out = out
        self.form = form

    def say(self, key: str, **values: object) -> None:
        """One of the strings of the table, wrapped."""
        text = t(self.player.lang, f"cli.{key}", **values)
        indent = " " * (len(text) - len(text.lstrip()))
        for line in wrap(text, indent):
            self.out(line)

    def text(self, text: str, indent: str = "") -> None:
        """A paragraph or several of the Markdown subset, wrapped by cells."""
        for paragraph in text.replace("**", "").split("\n\n"):
            for line in wrap(" ".join(paragraph.split("\n")), indent):
                self.out(line)
            self.out("")

    def opening(self) -> None:
        """Which lesson, on what it runs, who is at the other end."""
        player = self.player
        if player.lesson.id == SANDBOX:
            self.text(player.lesson.title.get(player.lang))
        else:
            self.say("lesson_head", id=player.lesson.id, title=player.lesson.title.get(player.lang))
        hello = player.timeline.edge.hello
        if hello is not None:
            kind = "replay" if player.session and player.session.kind == "replay" else hello.ran_on
            self.say(f"where_{kind}", kernel=hello.kernel, device=hello.ran_on, started=hello.started)
            if player.session and player.session.host:
                self.say("where_host", host=player.session.host)
            self._why_not(hello.why_not_kernel)
        if hello is None or hello.net != "none":
            self.say("peer_real" if player.timeline.edge.peer.real else "peer_ours")
            self._why_not(hello.why_not_tap if hello is not None else "")
        self.out("")

    def _why_not(self, text: str) -> None:
        """What keeps this machine from something better, and what would mend it; nothing of a recording's machine."""
        if self.player.session is not None and self.player.session.kind == "live":
            for line in local(self.player.lang, text).splitlines():
                for part in wrap(line, "  "):
                    self.out(part)

    def step_head(self, *, named: bool = True) -> None:
        """Number of the step, its name unless that is to be found out, and what to watch."""
        player = self.player
        count = len(player.lesson.step)
        self.out("-" * WIDTH)
        name, step = player.step.name(player.lang), player.step.id
        whole = name if name == step or player.lesson.id == SANDBOX else f"{name} ({step})"
        self.say("step_head", number=player.index + 1, count=count, step=whole if named else "?")
        self.text(player.words(player.step).orient)

    def question(self) -> None:
        """The prediction's question and its numbered choices."""
        player = self.player
        if player.step.predict is None:
            return
        self.say("question", question=player.step.predict.question.get(player.lang))
        taken = player.prediction.taken if player.prediction else []
        for number, choice in enumerate(player.step.predict.choice, 1):
            mark = " x" if choice.id in taken else ""
            for line in wrap(f"{number}{mark} {choice.text.get(player.lang)}", "  "):
                self.out(line)
        self.out("")

    def happened(self) -> None:
        """Every event of the step that has a sentence, in order, and the condition it ended on."""
        player = self.player
        self.say("happened")
        for said in sentences(player.timeline, player.step.id, player.lang):
            first, *rest = wrap(said, "    ")
            self.out(f"  - {first.strip()}")
            for line in rest:
                self.out(line)
        if player.timeline.edge.ended in ("quiescent", "still"):
            self.say(f"ended_{player.timeline.edge.ended}")
        self.out("")
        self.tables()
        self.code()

    def tables(self) -> None:
        """What the step put together, row by row."""
        timeline = self.player.timeline
        mark = timeline.mark(self.player.step.id)
        events = timeline.events[mark.position if mark else 0 :]
        for name in dict.fromkeys(event.data.name for event in events if isinstance(event.data, ev.Listing)):
            for line in listing_lines(timeline.edge, name, self.player.lang, WIDTH - 2):
                self.out(f"  {line}".rstrip())
            self.out("")

    def code(self) -> None:
        """The step as C or as strace has it, if that was asked for."""
        form = next((form for form in FORMS if form == self.form), None)
        if form is None:
            return
        self.say(f"as_{form}")
        for line in step_lines(self.player.timeline.events, self.player.step.id, form):
            self.out(f"  {line}")
        self.out("")

    def answer(self) -> None:
        """The prediction's answer, computed from the states before and after."""
        player = self.player
        if player.step.predict is None:
            return
        right = right_choice(player.step.predict.choice, player.before, player.timeline.edge)
        text = next((c.text.get(player.lang) for c in player.step.predict.choice if c.id == right), "")
        if text:
            self.say("answer_is", answer=text)
        else:
            self.say("answer_unclear")
        self.out("")

    def explain(self) -> None:
        """Why."""
        words = self.player.words(self.player.step)
        if words.explain:
            self.say("why")
            self.text(words.explain, "  ")

    def checks(self) -> int:
        """The checklist with its verdicts; returns how many did not hold."""
        player = self.player
        if not player.step.check:
            return 0
        verdicts = {check.id: check for check in player.timeline.edge.checks}
        self.say("checks")
        bad = 0
        for check in player.step.check:
            verdict = verdicts.get(check.id)
            ok = verdict is not None and verdict.ok
            bad += not ok
            found = verdict.actual if verdict else "?"
            self.say("check_ok" if ok else "check_bad", text=check.text.get(player.lang), actual=found)
        self.out("")
        return bad


def wrap(text: str, indent: str = "") -> list[str]:
    """Lines of at most ``WIDTH`` cells, each indented."""
    return [indent + line for line in cells.wrap(text, WIDTH - len(indent))] or [""]
