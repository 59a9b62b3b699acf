"""vhost-user messages, coverage-guided: what was found once stays clean, and nothing new is found.

A long hunt: ``.venv/bin/python -m tests.fuzz.messages 3600 FOLDER``.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator

import pytest

from tests.fuzz.front_end import Attack, Descriptors
from tests.fuzz.messages import CORPUS, GEARS, Fuzzer, load, seeds, session
from tour.device.vhost_user import handlers
from tour.device.vhost_user import session as sessions
from tour.errors import MessageFault
from tour.scene.ports import NullPorts

pytestmark = pytest.mark.requires("embedded")
SECONDS = float(os.environ.get("TOUR_FUZZ_SECONDS", "15"))
LEAST = 100


@pytest.fixture
def fuzzer() -> Iterator[Fuzzer]:
    found = Fuzzer(random.SystemRandom().randrange(1 << 32))
    yield found
    found.close()


def test_what_was_found_once_stays_clean(fuzzer: Fuzzer) -> None:
    corpus = load(CORPUS)
    assert len(corpus) >= 50
    for steps in corpus:
        fuzzer.feed(steps)
    assert fuzzer.found == []


def test_nothing_new_is_found(fuzzer: Fuzzer) -> None:
    for steps in [*load(CORPUS), *seeds()]:
        fuzzer.feed(steps)
    before = fuzzer.runs
    fuzzer.hunt(SECONDS)
    print(f"{fuzzer.runs - before} runs, {len(fuzzer.watch.seen)} steps covered")
    assert fuzzer.found == []
    assert fuzzer.runs - before > LEAST


def test_an_err_doorbell_that_cannot_be_written_keeps_no_memory(fuzzer: Fuzzer) -> None:
    """The ring is told of memory it no longer lies in; ringing its err doorbell fails; the memory before must go."""
    steps = json.loads((CORPUS / "err-cannot-be-written.json").read_text())
    for _ in GEARS:
        fuzzer.feed(steps)
    assert fuzzer.found == []


def test_the_corpus_reaches_what_a_front_end_can_do_wrong() -> None:
    have, ports = Descriptors(), NullPorts(1)
    refused, broken = set(), set()
    try:
        for steps in load(CORPUS):
            have.fresh()
            attack = Attack(have, ports, "engine")
            attack.run(steps)
            refused |= attack.refused
            broken |= attack.broken
    finally:
        ports.close()
        have.close()
    timed = {MessageFault.HALF, MessageFault.NO_REPLIES_READ}
    assert {fault.value for fault in set(MessageFault) - timed} - refused - broken == set()


def _index_unchecked(self: sessions.Session, index: int) -> sessions.UserRing:
    return self.rings[index]


def _descriptor_kept(session: sessions.Session, message: handlers.Message) -> None:
    message.take()


@pytest.mark.parametrize("what", ["an index unchecked", "a descriptor kept"])
def test_a_server_without_a_check_is_found_out(fuzzer: Fuzzer, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    weak: dict[str, Callable[[], None]] = {
        "an index unchecked": lambda: monkeypatch.setattr(sessions.Session, "ring", _index_unchecked),
        "a descriptor kept": lambda: monkeypatch.setitem(handlers.HANDLERS, 7, _descriptor_kept),
    }
    weak[what]()
    for steps in [session(1), *load(CORPUS)]:
        fuzzer.feed(steps)
        if fuzzer.found:
            return
    pytest.fail("the corpus does not notice")
