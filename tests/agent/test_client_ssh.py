"""``--ssh`` over a real sshd: what runs there, what is said when it cannot, and that nothing is left there."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.sshd import HOST, TOUR, Sshd
from tests.cli.command import tour
from tests.cli.test_portable import ON_DARWIN
from tests.support import kill, require
from tour.agent import client_ssh, far, protocol
from tour.errors import CapabilityMissing, TourError, UsageError
from tour.trace import events as ev
from tour.trace import store

HEAVY = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    require("ssh")
    sshd = Sshd(tmp_path_factory.mktemp("far") / "sshd")
    yield sshd
    sshd.close()


@pytest.fixture
def sshd(made: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    monkeypatch.setenv("PATH", made.environ["PATH"])
    made.serve(TOUR)
    yield made
    for link in client_ssh._links.values():
        link.close()
    client_ssh._links.clear()
    made.assert_alone()


def said_of(host: str = HOST, lang: str = "en") -> str:
    told, said = tour("run", "8", "--ssh", host, code=3, VHOST_TOUR_LANG=lang)
    assert told == ""
    return said


@HEAVY
def test_a_lesson_runs_there_and_is_told_here(sshd: Sshd) -> None:
    told, _ = tour("run", "8", "--plain", "--ssh", HOST)
    assert f"It runs on {HOST}." in told
    assert "Every check held." in told


@HEAVY
def test_here_may_be_no_linux(sshd: Sshd) -> None:
    told, modules = tour("run", "8", "--plain", "--ssh", HOST, argv=ON_DARWIN)
    assert f"It runs on {HOST}." in told and "Every check held." in told
    assert not {"tour.agent.spawn", "tour.abi.libc", "tour.scene"} & set(modules.split())


@HEAVY
def test_a_fork_needs_two_agents_and_one_login(sshd: Sshd, tmp_path: Path) -> None:
    before = sshd.logins()
    tour("record", "8", "-o", tmp_path / "fork.jsonl", "--ssh", HOST, "--vary", "wrap")
    assert sshd.logins() == before + 1
    kept = store.load(tmp_path / "fork.jsonl")
    assert kept.whole and kept.hello.variant == "wrap" and kept.hello.device == "embedded"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_tour_over_there_is_said_with_the_command_that_puts_it_there(sshd: Sshd, lang: str) -> None:
    sshd.serve("")
    said = said_of(lang=lang)
    there = "mkdir -p vhost-tour && tar -x -C vhost-tour && sh vhost-tour/install.sh"
    assert f"git archive HEAD | ssh {HOST} '{there}'" in said
    assert ("There is no vhost-tour" in said) == (lang == "en")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"""echo '#tour {{"version":"9.9","protocol":{far.OURS.protocol + 1},"schema":1}}'; cat >&2""", "version 9.9"),
        (f"""echo '#tour {{"version":"0.0","protocol":{far.OURS.protocol},"schema":99}}'; cat >&2""", "version 0.0"),
        ("echo '#tour what'; cat >&2", "no vhost-tour on far that could serve us"),
        ("echo 'No such command: agent' >&2; exit 2", "No such command: agent"),
        ("yes", "no vhost-tour on far that could serve us"),
        ("exec head -c 50000000 /dev/zero", "no vhost-tour on far that could serve us"),
    ],
    ids=["protocol", "schema", "greeting", "older", "noise", "line without end"],
)
def test_what_cannot_serve_us_is_said(sshd: Sshd, script: str, words: str) -> None:
    sshd.serve(script)
    said = said_of()
    assert words in said and "git archive HEAD | ssh far" in said


def test_what_a_login_shell_prints_first_is_passed_over(sshd: Sshd) -> None:
    sshd.serve(f"echo Welcome!; echo '# of processes: 3'; {TOUR}")
    assert client_ssh.link(HOST).host == HOST


def test_a_host_that_cannot_be_reached_is_said_in_sshs_own_words(sshd: Sshd) -> None:
    said = said_of("nobody.invalid")
    assert "ssh could not connect to nobody.invalid." in said and "nobody.invalid true" in said


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "", "a\nb"])
def test_what_is_no_host_never_reaches_ssh(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_ssh.subprocess, "Popen", lambda *_, **__: pytest.fail("was run"))
    with pytest.raises(UsageError, match="is no host"):
        client_ssh.link(host)


def test_without_the_program_ssh_the_apt_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CapabilityMissing) as caught:
        client_ssh.link("somewhere")
    assert caught.value.fix == "sudo apt-get install openssh-client"


def test_the_agent_runs_on_one_machine() -> None:
    assert "neither --lab" in tour("run", "8", "--ssh", HOST, "--lab", code=2)[1]


# -- sessions ---------------------------------------------------------------------------------------------


class Heard:
    """A session opened on lesson 8, and what it says."""

    def __init__(self) -> None:
        client_ssh.link(HOST)
        opening = protocol.Open(1, "8", "embedded")
        self.session = client_ssh.connect_ssh(opening, HOST)
        self.events: queue.Queue[ev.Event] = queue.Queue()
        self.ends: queue.Queue[TourError | None] = queue.Queue()
        self.session.start(self.events.put, self.ends.put, lambda text: None)
        self.session.send(opening)

    def until_open(self) -> Heard:
        while not isinstance(self.events.get(timeout=30).data, ev.Done):
            pass
        return self

    def end(self) -> str:
        error = self.ends.get(timeout=30)
        assert error is not None
        return str(error)


def test_agents_follow_each_other_on_one_connection(sshd: Sshd) -> None:
    first = Heard().until_open()
    before = sshd.logins()
    first.session.close()
    assert first.ends.get(timeout=10) is None
    second = Heard().until_open()
    assert sshd.logins() == before
    second.session.close()


@pytest.mark.parametrize(
    ("victim", "words"),
    [("tour.agent.server", "ended by signal 9 (SIGKILL)"), ("tour.cli agent", "The connection to far ended"),
     ("sshd: root", "The connection to far ended")],
    ids=["agent", "relay", "sshd"],
)  # fmt: skip
def test_a_death_over_there_is_said_here_and_another_agent_can_be_had(sshd: Sshd, victim: str, words: str) -> None:
    lost = Heard().until_open()
    kill(sshd.who(victim))
    assert words in lost.end()
    lost.session.close()
    Heard().until_open().session.close()


def test_a_lost_connection_that_cannot_be_had_again_is_said_without_asking_anything(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Heard().until_open()
    kill(sshd.who("sshd: root"))
    lost.end()
    monkeypatch.setenv("PATH", "/nonexistent")
    again = client_ssh.connect_ssh(protocol.Open(1, "8"), HOST)
    ends: queue.Queue[TourError | None] = queue.Queue()
    again.start(lambda event: None, ends.put, lambda text: None)
    assert "ssh is not installed" in str(ends.get(timeout=10))


def test_what_keeps_an_agent_from_starting_there_is_said_here(sshd: Sshd, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import tour.agent.early as early\nfrom tour.errors import CapabilityMissing\n"
        "def start(): raise CapabilityMissing('namespaces', 'Not here.', 'Why.', 'mend it')\n"
        "early.start = start\nfrom tour.agent.relay import main\nmain()\n"
    )
    sshd.serve(TOUR.replace("-m tour.cli", str(broken)))
    assert "Not here.\nWhy.\nTo mend it: mend it" in Heard().end()
