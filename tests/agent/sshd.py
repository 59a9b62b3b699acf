"""A machine to log in to: Debian's real sshd on a loopback port, in pid and mount namespaces that end with it.

``Sshd.environ`` is an environment in which ``ssh far`` reaches it; ``tour`` over there is this very tree, or
whatever ``serve`` was given.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

from tests.kill.family import descendants
from tests.support import ROOT, alive, wait_until
from tour.agent.spawn import AgentProcess, spawn

HOST = "far"
TOUR = f'cd / && PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m tour.cli "$@"'
SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv PATH={folder}/there:/usr/bin:/bin HOME={folder}/home
"""
CLIENT = """
Host {host}
  HostName 127.0.0.1
  Port {port}
  User root
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking yes
"""


class Sshd:
    """The daemon, its keys and settings below ``folder``. Needs root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        for name in ("there", "here", "home"):
            (folder / name).mkdir(parents=True)
        self._keys()
        self._settings()
        self.serve(TOUR)
        run = f"mount -t tmpfs run /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f {folder}/sshd_config"
        self.process: AgentProcess = spawn(["sh", "-c", run], isolate="pid")
        wait_until(self._listens, "sshd to listen")
        wait_until(lambda: len(self.inside()) == 1, "the first visitor to have left")
        self.alone = self.inside()

    def _keys(self) -> None:
        for name in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
            subprocess.run(command, check=True)
        kind, key, *_ = (self.folder / "host.pub").read_text().split()
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")

    def _settings(self) -> None:
        (self.folder / "sshd_config").write_text(SERVER.format(port=self.port, folder=self.folder))
        (self.folder / "config").write_text(CLIENT.format(host=HOST, port=self.port, folder=self.folder))
        _program(self.folder / "here/ssh", f'exec /usr/bin/ssh -F {self.folder}/config "$@"')

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def serve(self, script: str) -> None:
        """What ``tour`` is over there; '' for none."""
        path = self.folder / "there/tour"
        path.unlink(missing_ok=True)
        if script:
            _program(path, script)

    @property
    def environ(self) -> dict[str, str]:
        """Ours, with the user's ssh first on the path."""
        return {**os.environ, "PATH": f"{self.folder}/here:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def inside(self) -> set[int]:
        """Everybody alive over there."""
        return {pid for pid in descendants(self.process.init_pid) if alive(pid)}

    def assert_alone(self) -> None:
        """No session of anybody is left over there, nor any namespace made for one."""
        wait_until(lambda: self.inside() <= self.alone, "the far side to be empty", 20)

    def who(self, command: str) -> int:
        """The process over there whose command line holds ``command``, once there is one (the last, if several)."""
        found: list[int] = wait_until(lambda: [pid for pid in sorted(self.inside()) if command in _line(pid)], command)
        return found[-1]

    def logins(self) -> int:
        """How often somebody was let in so far."""
        return self.process.stderr_tail().count("Accepted publickey")

    def close(self) -> None:
        """End it and all below it."""
        self.process.close()


def _line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
