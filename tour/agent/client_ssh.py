"""An agent on another machine, over the user's own ``ssh`` program; nothing of it needs Linux on this side."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator

import msgspec

from tour.agent import far, protocol
from tour.agent.late import LateSession
from tour.agent.session import Session
from tour.errors import AgentLost, CapabilityMissing, UsageError
from tour.trace.events import LINE_MAX

REMOTE = """sh -c 'PATH="$PATH:$HOME/.local/bin:$HOME/vhost-tour/.venv/bin"; export PATH; exec tour agent'"""
"""Any login shell understands this; a login over ssh often has a shorter PATH than the person is used to."""
QUIET = ("-T", "-a", "-x", "-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none")
ALIVE = ("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3")
UNATTENDED = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10")
NOT_FOUND = 127
NOT_CONNECTED = 255
ENDING = 3.0
WORDS_KEPT = 2000
Line = bytes | None

_links: dict[str, Link] = {}


def connect_ssh(command: protocol.Open, host: str) -> Session:
    """A new agent on ``host``; ``link`` was called before and had its chance to ask."""
    return LateSession(lambda on_progress: SshTransport(link(host)), host)


def link(host: str) -> Link:
    """The one connection to ``host``. The first time ssh may ask on the terminal for what it needs, a password
    perhaps: call it before a screen is drawn. Later (the connection was lost) it asks nothing.

    Raises UsageError for what is no host, CapabilityMissing("ssh") when it cannot be reached or has no tour that
    fits.
    """
    known = _links.get(host)
    if known is None or known.lost:
        if known is not None:
            known.close()
        _links[host] = Link(host, unattended=known is not None)
    return _links[host]


class Link:
    """A running ``ssh HOST tour agent``: one agent at a time at its other end."""

    def __init__(self, host: str, *, unattended: bool) -> None:
        self.host = host
        self.lost = False
        self._number = 0
        self._inbox: queue.Queue[Line] = queue.Queue()
        self._why = ""
        self._lock = threading.Lock()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the link
        self._process = self._start(unattended)
        atexit.register(self.close)
        try:
            lines = self._greeted()
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._listen, args=(lines,), name="ssh", daemon=True).start()

    def _start(self, unattended: bool) -> subprocess.Popen[bytes]:
        if not self.host or self.host.startswith("-") or not self.host.isprintable():
            raise UsageError(f"'{self.host}' is no host for ssh.", "It is a name or USER@NAME.")
        program = shutil.which("ssh")
        if program is None:
            raise CapabilityMissing(
                "ssh", "The program ssh is not installed.", "", "sudo apt-get install openssh-client"
            )
        argv = [program, *QUIET, *ALIVE, *(UNATTENDED if unattended else ()), "--", self.host, REMOTE]
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)

    def _greeted(self) -> Iterator[bytes]:
        """The lines after the far side's greeting. Raises CapabilityMissing("ssh") if none comes that we know."""
        lines = self._lines()
        noise = 0
        for each in lines:
            word, rest = far.parse(each)
            if word == "tour":
                self._accept(rest)
                return lines
            noise += len(each) + 1
            if noise > far.NOISE_MAX:
                break
        raise self._not_there(noise)

    def _accept(self, rest: bytes) -> None:
        try:
            theirs = msgspec.json.decode(rest, type=far.Greeting)
        except msgspec.MsgspecError:
            raise self._not_there(len(rest)) from None
        if not theirs.compatible:
            what = f"The vhost-tour on {self.host} speaks another language than this one."
            why = f"That is version {theirs.version}, this is {far.OURS.version}."
            raise CapabilityMissing("ssh", what, f"{why} {_how()}", self._install())

    def _not_there(self, heard: int) -> CapabilityMissing:
        """Why nobody greeted us, although ``heard`` bytes of something else may have come."""
        if heard:
            self._process.terminate()
        code, said = self._end(), self._said()
        if code == NOT_CONNECTED and not heard:
            fix = f"see that this works: ssh {shlex.quote(self.host)} true"
            return CapabilityMissing("ssh", f"ssh could not connect to {self.host}.", said, fix)
        what = f"There is no vhost-tour on {self.host} that could serve us."
        why = _how() if code == NOT_FOUND else f"{_how()}\n{said}".strip()
        return CapabilityMissing("ssh", what, why, self._install())

    def _install(self) -> str:
        """The command that puts this very version there."""
        there = "mkdir -p vhost-tour && tar -x -C vhost-tour && sh vhost-tour/install.sh"
        return f"git archive HEAD | ssh {shlex.quote(self.host)} '{there}'"

    def _said(self) -> str:
        """The last of what ssh wrote to its standard error."""
        self._errors.seek(0)
        return self._errors.read()[-WORDS_KEPT:].decode(errors="replace").strip()

    def _lines(self) -> Iterator[bytes]:
        """Lines of the far side, without their newlines, to its end."""
        assert self._process.stdout is not None
        pending = b""
        with contextlib.suppress(OSError, ValueError):
            while len(pending) <= LINE_MAX and (data := os.read(self._process.stdout.fileno(), 65536)):
                *whole, pending = (pending + data).split(b"\n")
                yield from whole
        if len(pending) > LINE_MAX:
            yield pending

    def _listen(self, lines: Iterator[bytes]) -> None:
        """Give each line to the agent it belongs to; agents that were left say nothing any more."""
        current = 0
        for each in lines:
            word, rest = far.parse(each)
            with self._lock:
                if word == "started":
                    current = int(rest)
                elif current == self._number:
                    self._take(word, rest)
        code, said = self._end(), self._said()
        with self._lock:
            self._why = str(AgentLost(f"The connection to {self.host} ended (ssh's exit code is {code}).", said))
            self.lost = True
            self._inbox.put(None)

    def _take(self, word: str, rest: bytes) -> None:
        """One line of the present agent."""
        if word == "ended":
            self._why = str(msgspec.json.decode(rest.partition(b" ")[2]))
            self._inbox.put(None)
        elif not word:
            self._inbox.put(rest)

    def begin(self) -> tuple[int, queue.Queue[Line]]:
        """Ask for a new agent; its number, and where its lines will be. Raises OSError when the connection is gone."""
        with self._lock:
            self._require()
            self._number += 1
            self._inbox = queue.Queue()
            self._why = ""
            self._write(far.line("start", self._number))
            return self._number, self._inbox

    def say(self, number: int, data: bytes) -> None:
        """Send ``data`` to agent ``number``. Raises OSError when that, or the connection, is gone."""
        with self._lock:
            self._require(number)
            self._write(data)

    def _require(self, number: int | None = None) -> None:
        if self.lost or number not in (None, self._number):
            raise BrokenPipeError("this agent is gone")

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def why(self) -> str:
        """Why the present agent, or the connection, ended."""
        return self._why

    def _end(self) -> int:
        """Let ssh come to its end, or make it; returns its exit code."""
        try:
            return self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            return self._process.wait()

    def close(self) -> None:
        """End the connection; the far side ends with it. May be called again."""
        self.lost = True
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._end()
        atexit.unregister(self.close)


class SshTransport:
    """The stream of one agent at the other end of a link."""

    def __init__(self, link: Link) -> None:
        self.link = link
        try:
            self._number, self._inbox = link.begin()
        except OSError as error:
            raise AgentLost(f"The connection to {link.host} is gone.", link.why()) from error

    def send(self, data: bytes) -> None:
        """Write all of ``data``. Raises OSError."""
        self.link.say(self._number, data)

    def receive(self) -> bytes:
        """A line of events, b'' at the end."""
        line = self._inbox.get()
        if line is None:
            self._inbox.put(None)
            return b""
        return line + b"\n"

    def reason(self) -> str:
        """How the agent, or the way to it, ended."""
        return self.link.why()

    def close(self) -> None:
        """End the agent; the connection stays for the next one."""
        with contextlib.suppress(OSError):
            self.link.say(self._number, far.line("stop"))
        self._inbox.put(None)


def _how() -> str:
    """What ``Link._install`` does."""
    return "The command below puts this one there; give it in the folder that install.sh is in."
