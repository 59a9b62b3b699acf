"""A session whose every word is the test's."""

from __future__ import annotations

from tests.trace.recordings import events
from tour.agent import protocol
from tour.agent.player import Player
from tour.agent.session import OnEnd, OnEvent, OnProgress
from tour.errors import AgentLost
from tour.lesson import model
from tour.trace import events as ev


class Puppet:
    """Remembers what it was told."""

    kind = "live"
    host = ""

    def __init__(self) -> None:
        self.sent: list[protocol.AnyCommand] = []
        self.gone = False
        self.closed = 0

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        self.on_event, self.on_end, self.on_progress = on_event, on_end, on_progress

    def send(self, command: protocol.AnyCommand) -> None:
        if self.gone:
            raise AgentLost("The agent has ended.", "killed")
        self.sent.append(command)

    def close(self) -> None:
        self.closed += 1

    def say(self, *payloads: ev.AnyPayload) -> None:
        for event in events(*payloads):
            self.on_event(event)


def puppets() -> tuple[Player, list[Puppet]]:
    made: list[Puppet] = []

    def connect(command: protocol.Open) -> Puppet:
        made.append(Puppet())
        return made[-1]

    player = Player(model.load("8"), "en", connect)
    player.mailbox.attach(player.hear)
    player.open()
    return player, made
