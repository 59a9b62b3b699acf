"""One learner in one lesson: a state machine without a front end, driven by keys and by an agent's events.

It never blocks and is called from one thread only. What its session says on a thread of its own is left in a
mailbox, from which whoever ``listen``s brings it to the player's thread and hands it to ``take``, ``failed`` and
``progress``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tour.agent import forks, protocol, showing
from tour.agent.session import Item, Mailbox, Session
from tour.errors import AgentLost, CapabilityMissing, TourError
from tour.i18n import Lang, t
from tour.lesson.model import Lesson, StepSpec, StepText, Vary
from tour.lesson.moment import Moment, Phase
from tour.lesson.prediction import Prediction
from tour.trace import events as ev
from tour.trace.fold import FoldError
from tour.trace.state import State
from tour.trace.timeline import Timeline

Connect = Callable[[protocol.Open], Session]


class Player:
    """A lesson being played.

    ``connect`` makes a session for an Open command; ``step`` is the index to begin at. ``changed`` is called after
    anything that alters the moment, ``on_event`` with every event taken, ``on_step`` when a step has run and what
    happened may be seen.
    """

    def __init__(self, lesson: Lesson, lang: Lang, connect: Connect, device: str = "auto", step: int = 0) -> None:
        self.lesson = lesson
        self.lang: Lang = lang
        self.device = device
        self.connect = connect
        self.mailbox = Mailbox()
        self.changed: Callable[[], None] = lambda: None
        self.on_event: Callable[[ev.Event], None] = lambda event: None
        self.on_step: Callable[[Player], None] = lambda player: None
        self.session: Session | None = None
        self.error: TourError | None = None
        self.notice = ""
        self.next_key = ""
        """The string that says what Enter does, where that is not what it does in a lesson."""
        self._next_id = 0
        self._opened: tuple[int, dict[str, Any]] = (step, {})
        self._reset(Timeline(), step)

    def _reset(self, timeline: Timeline, step: int) -> None:
        self.timeline = timeline
        self.index = step
        self.phase: Phase = "orient"
        self.position: int | None = None
        self.busy = ""
        self.waiting_for: int | None = None
        self.vary: Vary | None = None
        self.origin = ""
        self.ended = False
        self.prediction = self._new_prediction()
        self.before = timeline.edge

    # --- the running set-up -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open it at the step it was made for. Raises TourError."""
        self.open(self._opened[0])

    def open(self, step: int = 0, **options: Any) -> None:
        """Connect to a new agent and build what stands before ``step``: a fork's memory, or the lesson's set-up and
        the steps before, which are not shown. Raises TourError."""
        self.close()
        if step and options.get("fork") is None:
            options["at"] = self.lesson.step_ids[step]
        self._reset(Timeline(), step)
        self.error = None
        self._opened = (step, options)
        command = protocol.Open(self._id(), self.lesson.id, self.device, **options)
        self.session = self.connect(command)
        mine = self.session
        self.session.start(
            lambda event: self.mailbox.put(event, self.session is mine),
            lambda error: self.mailbox.put(error, self.session is mine),
            lambda text: self.mailbox.put(text, self.session is mine),
        )
        doing = "player.reading" if self.session.kind == "replay" else "player.opening"
        self._send(command, t(self.lang, doing))

    def listen(self, on_item: Callable[[Item], None]) -> None:
        """Hear, on the session's thread, all the session says: hand each item to ``hear`` on the player's thread.
        What came before is heard at once. Builds the set-up if nothing is open yet."""
        self.mailbox.attach(on_item)
        if self.session is None:
            self.begin()

    def hear(self, item: Item) -> None:
        """One item of the mailbox: an event, the end (with or without an error), or what is being done."""
        if isinstance(item, ev.Event):
            self.take(item)
        elif isinstance(item, str):
            self.progress(item)
        else:
            self.failed(item)

    def restart(self) -> None:
        """A new agent at the present step, after the old one is gone. Raises TourError."""
        vary, origin = self.vary, self.origin
        step, options = forks.again(self, *self._opened)
        self.open(step, **options)
        self.enter_fork(vary, origin)

    def close(self) -> None:
        """End the agent, if there is one."""
        session, self.session = self.session, None
        if session is not None:
            session.close()

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _send(self, command: protocol.AnyCommand, busy: str = "") -> None:
        if self.session is None:
            return
        try:
            self.session.send(command)
        except AgentLost as error:
            self.failed(error)
            return
        if busy:
            self.busy = busy
            self.waiting_for = command.id

    def take(self, event: ev.Event) -> None:
        """One event of the agent's. Before its hello, whatever comes is still the last agent's."""
        if not len(self.timeline) and not isinstance(event.data, ev.Hello | ev.Error):
            return
        if isinstance(event.data, ev.Done):
            if event.data.id == self.waiting_for:
                self._done()
        elif isinstance(event.data, ev.Error):
            self.on_event(event)
            self.failed(reported(event.data))
            return
        elif isinstance(event.data, ev.Hello):
            self._recognise(event.data)
            self._append(event)
        else:
            self._append(event)
        self.changed()

    def _recognise(self, hello: ev.Hello) -> None:
        """A recording of a fork is told in the fork's words and begins at its step."""
        if self.session is None or self.session.kind != "replay":
            return
        self.vary = next((vary for vary in self.lesson.vary if vary.id == hello.variant), None)
        if hello.forked_from is None or self._opened[1].get("fork") is not None:
            return
        self.origin, (_, _, step) = hello.forked_from, hello.forked_from.partition(":")
        if step in self.lesson.step_ids:
            self.index = self.lesson.step_ids.index(step)
            self.prediction = self._new_prediction()

    def _append(self, event: ev.Event) -> None:
        try:
            self.timeline.append(event)
        except FoldError as error:
            self.failed(error)
            return
        self.on_event(event)

    def progress(self, text: str) -> None:
        """The session says what it is doing (a lab boots)."""
        if self.busy:
            self.busy = text
            self.changed()

    def failed(self, error: TourError | None) -> None:
        """The agent ended or said something went wrong; what was seen stays."""
        self.busy = ""
        self.waiting_for = None
        if error is not None:
            self.position = None
            self.error = error
            self.notice = error.what
        self.changed()

    def _done(self) -> None:
        self.busy = ""
        self.waiting_for = None
        if self.phase != "do":
            self.before = self.timeline.edge
        elif self.prediction is None or self.prediction.settle(self.before, self.timeline.edge):
            self._reveal()

    def _reveal(self) -> None:
        """Show what happened: the held position is let go. The answer goes into the trace."""
        self.phase = "observe"
        self.position = None
        if self.prediction is not None and self.prediction.taken:
            taken, right = self.prediction.taken, self.prediction.right
            self._send(protocol.Tell(self._id(), ev.Answer(self.step.id, taken[-1], right, len(taken))))
        self.on_step(self)

    # --- the learner's keys -------------------------------------------------------------------------------

    @property
    def step(self) -> StepSpec:
        """The present step, as it is in the present fork."""
        return self.lesson.step[self.index].within(self.vary.id if self.vary else "")

    def words(self, step: StepSpec) -> StepText:
        """What is said at ``step``, in the present language and fork."""
        return self.lesson.text(self.lang, step.id, self.vary.id if self.vary else "")

    @property
    def looking_back(self) -> bool:
        """Whether the shown moment is one of the past (holding still for a prediction is not)."""
        return self.position is not None and not self.holding

    @property
    def holding(self) -> bool:
        """Whether the step has run, but what happened stays hidden until the prediction is settled."""
        held = self.phase == "do" and self.position is not None and self.prediction is not None
        return held and self.error is None

    def enter(self) -> None:
        """Go on: to the next phase, or do the action."""
        self.notice = ""
        if self.busy or self.error is not None:
            return
        if self.looking_back:
            self.notice = t(self.lang, "player.looking_back")
        elif self.holding:
            self.notice = t(self.lang, "player.answer_first")
        else:
            self._advance()
        self.changed()

    def _advance(self) -> None:
        if self.phase == "orient" and self.prediction is not None:
            self.phase = "predict"
            self._send(protocol.Tell(self._id(), ev.Question(self.step.id, list(self.choices()))))
        elif self.phase in ("orient", "predict"):
            self.act()
        elif self.phase == "observe":
            self.phase = "explain" if self.words(self.step).explain else "check"
        elif self.phase == "explain" and self.step.check:
            self.phase = "check"
        else:
            self.next_step()

    def next_step(self) -> None:
        """Leave the present step for the next one; after the last, ``ended``."""
        if self.index + 1 == len(self.lesson.step):
            self.ended = True
            return
        self.index += 1
        self.phase = "orient"
        self.prediction = self._new_prediction()
        self.before = self.timeline.edge

    def _new_prediction(self) -> Prediction | None:
        predict = self.step.predict
        return Prediction(predict) if predict is not None else None

    def act(self) -> None:
        """Run the present step without asking for a prediction."""
        self.prediction = None
        self._do()

    def finish(self) -> None:
        """Ask the agent to take everything down; its Bye completes a recording."""
        self.phase = "check"
        self._send(protocol.Close(self._id()), t(self.lang, "player.doing"))

    def _do(self) -> None:
        self.phase = "do"
        self.before = self.timeline.edge
        skip = self.vary is not None and self.vary.set.get("skip") == self.step.id
        self._send(protocol.Do(self._id(), self.step.id, skip), t(self.lang, "player.doing"))

    def answer(self, choice: str) -> None:
        """Take a choice of the prediction. The first one runs the step; what happened stays hidden until settled."""
        if self.prediction is None or self.phase not in ("predict", "do") or self.prediction.settled:
            return
        if self.looking_back:
            self.notice = t(self.lang, "player.looking_back")
            self.changed()
            return
        if self.busy or self.error is not None or not self.prediction.choose(choice):
            return
        if self.phase == "predict":
            self.position = len(self.timeline)
            self._do()
        elif self.prediction.settle(self.before, self.timeline.edge):
            self._reveal()
        self.changed()

    def choices(self) -> tuple[str, ...]:
        """Ids of the choices, in the order shown."""
        return tuple(choice.id for choice in self.step.predict.choice) if self.step.predict else ()

    def back(self) -> None:
        """Look one visible event further back."""
        if not self.holding:
            here = len(self.timeline) if self.position is None else self.position
            self.position = self.timeline.previous_stop(here)
            self.changed()

    def forward(self) -> None:
        """One visible event forward, at most to the edge."""
        if self.position is not None and not self.holding:
            self.seek(self.timeline.next_stop(self.position))

    def seek(self, position: int) -> None:
        """Look at that position; the edge ends looking back."""
        if not self.holding:
            inside = 0 <= position < len(self.timeline)
            self.position = position if inside else None
            self.changed()

    def live(self) -> None:
        """Return to the live edge."""
        self.seek(len(self.timeline))

    def set_lang(self, lang: Lang) -> None:
        """Change the language of everything shown."""
        self.lang = lang
        self.changed()

    # --- forks --------------------------------------------------------------------------------------------

    def varies(self) -> tuple[Vary, ...]:
        """The forks this lesson offers."""
        return tuple(self.lesson.vary)

    def fork(self, vary_id: str | None = None) -> None:
        """Begin again from the shown moment (``None``) or take a fork of the lesson's. Raises TourError.

        A new agent gets the memory and the indices of that point, or does the steps before it anew; the old run is
        left behind.
        """
        forks.take(self, vary_id)

    def enter_fork(self, vary: Vary | None, origin: str) -> None:
        """Go on as the fork ``vary`` (None: as it was) taken at ``origin``."""
        self.vary, self.origin = vary, origin
        self.prediction = self._new_prediction()
        self.changed()

    def shown_step(self) -> int:
        """Index of the step the shown moment belongs to."""
        if self.position is None:
            return self.index
        mark, steps = self.timeline.mark_before(self.position), self.lesson.step_ids
        return steps.index(mark.step) if mark and mark.step in steps else self._first()

    def _first(self) -> int:
        """Index of the step that what was built first leads to."""
        replayed = self.session is not None and self.session.kind == "replay"
        return 0 if replayed else self._opened[0]

    # --- what is shown ------------------------------------------------------------------------------------

    def shown(self) -> State:
        """The state to draw."""
        return self.timeline.edge if self.position is None else self.timeline.at(self.position)

    def moment(self) -> Moment:
        """All a front end needs to draw now."""
        return showing.moment(self)


def reported(data: ev.Error) -> TourError:
    """An agent's Error event as the error it was raised as, as far as the exit code goes."""
    if data.name:
        return CapabilityMissing(data.name, data.what, data.why, data.fix)
    return TourError(data.what, data.why, data.fix)
