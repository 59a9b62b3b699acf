"""``tour guest`` at a terminal: what it changes there it changes back, however it ends."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

from tests.cli.command import environment
from tests.strangers.test_guests import need
from tests.support import wait_until

LOCAL_FLAGS = 3
"""Of what tcgetattr() returns; a raw terminal lacks ECHO and ICANON there."""


def test_a_console_that_is_ended_by_sigterm_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    need("uml")
    ours, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)[LOCAL_FLAGS]
    argv = [sys.executable, "-m", "tour.cli", "guest", "uml"]
    with open(tmp_path / "said", "wb") as said:
        process = subprocess.Popen(argv, stdin=terminal, stdout=said, stderr=said, env=environment())
        try:
            wait_until(lambda: termios.tcgetattr(terminal)[LOCAL_FLAGS] != before, "the console", 60.0)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 128 + signal.SIGTERM
        finally:
            process.kill()
            process.wait()
    assert termios.tcgetattr(terminal)[LOCAL_FLAGS] == before
    os.close(ours)
    os.close(terminal)
