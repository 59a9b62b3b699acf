"""One person in the sandbox: a player whose steps are the orders typed."""

from __future__ import annotations

from typing import Any

from tour.agent import protocol
from tour.agent.forks import fork_point
from tour.agent.player import Connect, Player
from tour.errors import UsageError
from tour.i18n import Lang, local, t
from tour.lesson import orders, sandbox
from tour.lesson.sandbox import EXTRAS
from tour.trace.state import State


class SandPlayer(Player):
    """``options`` are those of ``protocol.Open``: num, base, features, fork."""

    def __init__(
        self, lang: Lang, connect: Connect, device: str = "auto", options: dict[str, Any] | None = None
    ) -> None:
        self._options = options or {}
        super().__init__(sandbox.empty(), lang, connect, device)
        self.next_key = "sandbox.next"

    def begin(self) -> None:
        """Open it. Raises TourError."""
        self.open(0, **self._options)
        fork = self._options.get("fork")
        self.origin = fork.origin if fork is not None else ""

    def open(self, step: int = 0, **options: Any) -> None:  # noqa: ANN401 - the fields of Open
        """See ``Player``; orders from ``step`` on are forgotten, they have not been given."""
        del self.lesson.step[step:]
        sandbox.await_order(self.lesson)
        options.setdefault("features", self._options.get("features", 0))
        super().open(step, **options)

    def obey(self, line: str) -> bool:
        """Give the order in ``line``; False when it is none, or cannot be given now, and ``notice`` says why."""
        self.notice = self.busy
        if self.busy or self.error is not None:
            return False
        if self.looking_back:
            self.notice = t(self.lang, "player.looking_back")
            return False
        try:
            self._next(line)
        except UsageError as error:
            between = "" if self.lang == "zh" else " "
            self.notice = f"{local(self.lang, error.what)}{between}{local(self.lang, error.why)}"
            self.changed()
            return False
        self.phase = "do"
        self.before = self.timeline.edge
        self._send(protocol.Try(self._id(), self.step.id, self.step.line), t(self.lang, "player.doing"))
        self.changed()
        return True

    def _next(self, line: str) -> None:
        """Make the order the present step. Raises UsageError."""
        orders.read(line)
        if self.phase != "orient":
            sandbox.await_order(self.lesson)
            self.index += 1
        sandbox.put(self.lesson, line)

    def enter(self) -> None:
        """There is no next step until an order is given."""
        self.notice = t(self.lang, "sandbox.next")
        self.changed()


def rings_run(state: State) -> bool:
    """Whether there is something to go on from: both rings with their backend socket."""
    return all(ring.backend is not None for ring in (state.tx, state.rx))


def forked(player: Player) -> dict[str, Any]:
    """Options of a sandbox that goes on from the moment ``player`` shows. Raises UsageError where no ring runs."""
    position = len(player.timeline) if player.position is None else player.position
    state = player.timeline.at(position) if position < len(player.timeline) else player.timeline.edge
    if not rings_run(state) or player.busy or player.holding:
        raise UsageError("The sandbox cannot go on from this point.", "Not both rings run here.", "try 8:publish")
    origin = f"{player.lesson.id}:{player.lesson.step_ids[player.shown_step()]}"
    extra = (state.features or 0) & (EXTRAS["indirect"] | EXTRAS["event-idx"])
    return {"fork": fork_point(player.timeline, position, origin), "features": extra}
