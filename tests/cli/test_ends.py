"""Exit codes 4, 124, 130: ends on the way. Nothing is lost, nobody sees a traceback."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command import TOUR, environment, tour
from tests.support import children, kill, wait_until
from tests.trace.recordings import reference
from tour.trace import events as ev
from tour.trace import store

embedded = pytest.mark.requires("embedded")
RECORDING = Path(reference().path)


@contextmanager
def started(*words: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command, still running."""
    process = subprocess.Popen(
        [*TOUR, *map(str, words)], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def end(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    told, said = process.communicate(timeout=30)
    assert b"Traceback" not in told + said, said.decode()
    return process.returncode, told.decode(), said.decode()


def until_asked(process: subprocess.Popen[bytes]) -> None:
    """Read what it tells until it waits for an answer."""
    assert process.stdout is not None
    text = b""
    while b"Your choice" not in text:
        assert select.select([process.stdout], [], [], 30)[0], text.decode()
        piece = os.read(process.stdout.fileno(), 65536)
        assert piece, text.decode()
        text += piece


def below(process: subprocess.Popen[bytes]) -> list[int]:
    """Helper, init and agent."""
    family = [process.pid]
    for _ in range(3):
        family += children(family[-1])[:1]
    return family[1:]


@embedded
def test_ctrl_c_at_a_question_ends_with_130_and_leaves_nothing() -> None:
    with started("start", "8", "--plain", "--device", "embedded") as process:
        until_asked(process)
        family = wait_until(lambda: below(process) if len(below(process)) == 3 else [], "the agent's processes")
        wait_until(
            lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S", "its sleep"
        )
        process.send_signal(signal.SIGINT)
        process.wait(30)  # before its standard input is closed: that would be another end
        code, _, said = end(process)
        assert code == 130 and "Stopped." in said
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in family), "their end")


@embedded
def test_ctrl_c_while_recording_keeps_what_was_recorded(tmp_path: Path) -> None:
    _, said = tour("record", "8", "-o", tmp_path / "run.jsonl", argv=(sys.executable, "-c", AT_THE_KICK), code=130)
    assert "Stopped." in said and "run.jsonl.partial" in said
    assert [each.name for each in tmp_path.iterdir()] == ["run.jsonl.partial"]
    kept = store.load(tmp_path / "run.jsonl.partial")
    assert isinstance(kept.events[-1].data, ev.Kick) and not kept.whole


AT_THE_KICK = """
import os, signal
from tour.trace import events, store
write = store.Writer.__call__
def write_and_interrupt(writer, event):
    write(writer, event)
    if isinstance(event.data, events.Kick) and event.data.queue == 1:
        os.kill(os.getpid(), signal.SIGINT)
store.Writer.__call__ = write_and_interrupt
from tour.cli.entry import main
main()
"""


@embedded
def test_the_agent_killed_while_a_learner_thinks() -> None:
    with started("start", "8", "--plain", "--device", "embedded") as process:
        until_asked(process)
        kill(wait_until(lambda: below(process)[2:], "the agent")[0])
        assert process.stdin is not None
        process.stdin.write(b"3\n")
        process.stdin.flush()
        code, _, said = end(process)
        assert code == 4 and "The agent has ended" in said and "SIGKILL" in said and "To mend it:" in said


@embedded
def test_the_agent_killed_in_the_middle_of_a_step(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", AT_THE_STEP)
    _, said = tour("record", "8", "--vary", "forget_kick", "-o", tmp_path / "run.jsonl", argv=argv, code=4)
    assert "The agent has ended" in said and "SIGKILL" in said and "run.jsonl.partial" in said
    kept = store.load(tmp_path / "run.jsonl.partial")
    steps = [event.data for event in kept.events if isinstance(event.data, ev.Step)]
    assert ("kick", "begin") in [(step.step, step.mark) for step in steps] and not kept.whole


AT_THE_STEP = """
import os, signal
from tests.support import children
from tour.trace import events, store
write = store.Writer.__call__
def write_and_kill(writer, event):
    write(writer, event)
    if isinstance(event.data, events.Step) and (event.data.step, event.data.mark) == ("kick", "begin"):
        helper, = children(os.getpid())
        os.kill(children(*children(helper))[0], signal.SIGKILL)
store.Writer.__call__ = write_and_kill
from tour.cli.entry import main
main()
"""


@embedded
def test_an_agent_that_says_nothing_any_more_ends_with_124() -> None:
    quick = "import tour.cli.drive as d; d.Pump.until.__defaults__ = (1.0,); from tour.cli.entry import main; main()"
    argv = [sys.executable, "-c", quick, "start", "8", "--plain", "--device", "embedded"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        until_asked(process)
        os.kill(wait_until(lambda: below(process)[2:], "the agent")[0], signal.SIGSTOP)
        assert process.stdin is not None
        process.stdin.write(b"3\n")
        process.stdin.flush()
        code, _, said = end(process)
        assert code == 124 and "Nothing was heard from the agent" in said
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "keep"),
    [(["run", "8", "--device", "replay"], 1), (["replay", RECORDING, "--json"], 1), (["version"], 0)],
)
def test_nobody_reads_standard_output_any_more(words: list[str], keep: int) -> None:
    read, write = os.pipe()
    process = subprocess.Popen([*TOUR, *map(str, words)], env=environment(), stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    if keep:
        os.read(read, 1)
    os.close(read)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0 and b"Traceback" not in said and b"BrokenPipe" not in said


@pytest.mark.parametrize("words", [["run", "8", "--device", "replay"], ["replay", RECORDING, "--json"]])
def test_standard_output_is_full(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        _, said = tour(*words, code=2, stdout=full.fileno())
    assert "No space left on device" in said


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str) -> None:
    argv = ("sh", "-c", f'exec {sys.executable} -m tour.cli "$@" {closed}', "sh")
    tour("run", "8", "--device", "replay", argv=argv)


@pytest.mark.parametrize("encoding", ["ascii", "gb18030"])
def test_any_encoding_of_the_terminal(encoding: str) -> None:
    told, _ = tour("run", "8", "--device", "replay", "--lang", "zh", PYTHONIOENCODING=encoding)
    assert "[x]" in told


def test_a_defect_of_ours_is_said_in_a_sentence_and_shown_on_wish() -> None:
    broken = "import tour.cli.run as r; r.load = lambda lesson: 1 / 0; from tour.cli.entry import main; main()"
    _, said = tour("run", "8", argv=(sys.executable, "-c", broken), code=4)
    assert "ZeroDivisionError" in said and "VHOST_TOUR_DEBUG=1" in said
    shown = subprocess.run(
        [sys.executable, "-c", broken, "run", "8"],
        env=environment(VHOST_TOUR_DEBUG="1"),
        capture_output=True,
        check=False,
    )
    assert shown.returncode == 4 and b"Traceback" in shown.stderr


def test_a_terminal_too_small_says_so() -> None:
    """In a real terminal of 40x10 the screen asks for more room, and q leaves it."""
    pid, terminal = pty.fork()
    if pid == 0:
        argv = [*TOUR, "replay", str(RECORDING)]
        os.execve(argv[0], argv, environment(COLUMNS="40", LINES="10"))
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 10, 40, 0, 0))
    text, deadline = b"", time.monotonic() + 30
    while b"80" not in text and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.5)[0]:
            text += os.read(terminal, 65536)
    os.write(terminal, b"q")
    while True:
        try:
            if not os.read(terminal, 65536):
                break
        except OSError:
            break
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert b"80" in text and os.waitstatus_to_exitcode(status) == 0


# -- before anything of ours runs -------------------------------------------------------------------------

AT_IMPORT = """
import os, signal, sys
from tour.cli import entry
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
entry.main()
"""


@pytest.mark.parametrize(
    ("words", "module"),
    [
        *(("version", module) for module in ("tour.i18n", "msgspec", "typer", "tour.cli.main", "tour.cli.output")),
        *(("start 8 --device replay", module) for module in ("tour.i18n", "msgspec", "tour.cli.output")),
    ],
)
def test_ctrl_c_while_still_importing_is_silent(words: str, module: str) -> None:
    argv = (sys.executable, "-c", AT_IMPORT.format(module=module))
    told, said = tour(*words.split(), argv=argv, code=130)
    assert (told, said) == ("", "")
