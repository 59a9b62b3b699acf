"""When things are wrong: one clear sentence, what mends it, the documented exit code, nothing lost, no traceback."""

from __future__ import annotations

import functools
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command import TOUR, environment, tour
from tests.support import ROOT, children, in_own_network, kill, wait_until
from tests.trace.recordings import reference
from tour.abi import libc
from tour.trace import events as ev
from tour.trace import store

embedded = pytest.mark.requires("embedded")
RECORDING = Path(reference().path)
NO_KERNEL = pytest.mark.skipif(os.path.exists("/dev/vhost-net"), reason="this machine has /dev/vhost-net")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
AS_NOBODY = str(ROOT / "tests" / "agent" / "as_nobody.py")


# -- 2: bad arguments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["dance"], "No such command"),
        (["run"], "Missing argument"),
        (["run", "99"], "There is no lesson '99'."),
        (["run", "../8"], "There is no lesson '../8'."),
        (["run", "8", "--device", "toaster"], "There is no device 'toaster'."),
        (["run", "8", "--lang", "fr"], "Invalid value"),
        (["run", "8", "--frobnicate"], "No such option"),
        (["run", "8", "--vary", "nope", "--device", "replay"], "It has: forget_kick, size2, wrap."),
        (["run", "8", "--vary", "wrap", "--device", "replay"], "A recording cannot go another way."),
        (["record", "8", "-o", ""], "Invalid value"),
        (["replay", RECORDING, "--svg", "x.svg", "--size", "huge"], "'huge' is not a size."),
        (["replay", RECORDING, "--svg", "x.svg", "--at", "lunch"], "Lesson 8 has no step 'lunch'."),
        (["replay", RECORDING, "--svg", "x.svg", "--theme", "pink"], "There are: dark, light, contrast, mono."),
        (["replay", RECORDING, "--svg", "/no/such/x.svg"], "cannot be written: No such file or directory."),
        (["start", "8", "--device", "replay"], "tour run 8 --plain"),
        (["replay", RECORDING], "--plain"),
    ],
)
def test_bad_arguments(words: list[str], sentence: str) -> None:
    told, said = tour(*words, code=2)
    assert sentence in said and told == ""


def test_nothing_at_all_shows_the_help() -> None:
    told, said = tour(code=2)
    assert "tour start" in told + said


def test_help_is_no_error() -> None:
    assert "--device" in tour("run", "--help")[0]


# -- 2: recordings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence", "fix"),
    [
        (lambda data: data.replace(b'"kind":"kick"', b'"kind":"kiss"'), "is damaged.", "tour record 8 -o FILE"),
        (lambda data: data.replace(b'"schema":1', b'"schema":99'), "newer vhost-tour", "pip install --upgrade"),
        (lambda data: b"\x7fELF" + data, "is not a recording", ""),
        (lambda data: b"", "is not a recording", ""),
        (lambda data: data.replace(b'"queue":1', b'"queue":5'), "Line ", "tour record 8 -o FILE"),
        (lambda data: data.replace(b'"lesson":"8"', b'"lesson":"77"', 1), "no lesson '77'", "tour start"),
    ],
    ids=["corrupt", "newer", "binary", "empty", "contradicting", "unknown lesson"],
)
def test_corrupt_and_newer_recordings(
    tmp_path: Path, change: Callable[[bytes], bytes], sentence: str, fix: str
) -> None:
    path = tmp_path / "spoilt.jsonl"
    path.write_bytes(change(RECORDING.read_bytes()))
    told, said = tour("replay", path, "--plain", code=2)
    assert sentence in said and fix in said and told == ""


@pytest.mark.parametrize("flags", [["--json"], ["--svg", "x.svg"]])
def test_a_corrupt_recording_is_neither_printed_nor_drawn(tmp_path: Path, flags: list[str]) -> None:
    path = tmp_path / "spoilt.jsonl"
    path.write_bytes(RECORDING.read_bytes().replace(b'"kind":"bye"', b'"kind":"by"'))
    told, said = tour("replay", path, *flags, code=2)
    assert "is damaged." in said and told == ""


@pytest.mark.parametrize(("name", "reason"), [("missing.jsonl", "No such file"), (".", "Is a directory")])
def test_recordings_that_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    _, said = tour("replay", tmp_path / name, "--plain", code=2)
    assert reason in said and "tour record 8 -o FILE makes one" in said


@embedded
@pytest.mark.parametrize(("name", "reason"), [("no/such/folder/x", "No such file"), (".", "directory")])
def test_recordings_that_cannot_be_written(tmp_path: Path, name: str, reason: str) -> None:
    _, said = tour("record", "8", "-o", tmp_path / name, code=2)
    assert reason in said and "-o FILE" in said
    assert list(tmp_path.iterdir()) == []


@embedded
def test_a_full_disk_while_recording() -> None:
    _, said = tour("record", "8", "-o", "/dev/full", code=2)
    assert "cannot be written: No space left on device." in said and "free some space" in said
    assert Path("/dev/full").is_char_device()


@embedded
@in_own_network
def test_a_disk_that_fills_while_recording_keeps_what_was_recorded() -> None:
    libc.mount("tiny", "/mnt", "tmpfs", 0, "size=24k")
    _, said = tour("record", "8", "-o", "/mnt/run.jsonl", code=2)
    assert "No space left" in said and "/mnt/run.jsonl.partial" in said
    kept = store.load(Path("/mnt/run.jsonl.partial"))
    assert not kept.whole and len(kept.events) > 20
    told, said = tour("replay", "/mnt/run.jsonl.partial", "--plain")
    assert "ends early" in said


@embedded
def test_a_run_that_cannot_begin_spoils_no_older_recording(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(RECORDING.read_bytes())
    if not os.path.exists("/dev/vhost-net"):
        tour("record", "8", "--device", "kernel", "-o", path, code=3)
    tour("record", "8", "--vary", "nope", "-o", path, code=2)
    assert path.read_bytes() == RECORDING.read_bytes() and len(list(tmp_path.iterdir())) == 1


# -- 3: what this machine lacks ---------------------------------------------------------------------------


@embedded
@NO_KERNEL
@pytest.mark.parametrize("words", [["run", "8", "--json"], ["start", "8", "--plain"]])
def test_the_kernel_asked_for_where_there_is_none(words: list[str]) -> None:
    told, said = tour(*words, "--device", "kernel", code=3)
    assert "/dev/vhost-net cannot be opened." in said and "sudo modprobe vhost_net" in said
    assert "Step" not in told


@embedded
@NO_KERNEL
def test_required_by_the_environment_is_asked_for() -> None:
    _, said = tour("run", "8", code=3, TOUR_REQUIRE="tun, kernel")
    assert "/dev/vhost-net" in said
    tour("run", "8", "--device", "replay", TOUR_REQUIRE="kernel")


@embedded
@NO_KERNEL
def test_without_being_asked_for_it_is_told_and_the_embedded_device_runs() -> None:
    told, _ = tour("run", "8")
    assert "embedded device" in told and "sudo modprobe vhost_net" in told


@embedded
@AS_ROOT
@in_own_network
def test_vhost_net_without_permission() -> None:
    for device, minor in (("vhost-net", 238), ("net/tun", 200)):
        node = Path("/mnt") / device.replace("/", "-")
        if not node.parent.is_mount():
            libc.mount("nodes", "/mnt", "tmpfs")
        os.mknod(node, 0o600 | 0o020000, os.makedev(10, minor))
    Path("/mnt/net").mkdir()
    Path("/mnt/net-tun").rename("/mnt/net/tun")
    for name in ("null", "zero", "urandom", "random", "full"):
        Path(f"/mnt/{name}").touch()
        libc.mount(f"/dev/{name}", f"/mnt/{name}", "", libc.MS_BIND)
    libc.mount("/mnt", "/dev", "", libc.MS_BIND | libc.MS_REC)
    python = nobody_python()
    drop = (sys.executable, "-c", DROP, python, "-m", "tour.cli")
    _, said = tour("run", "8", "--device", "kernel", argv=drop, code=3, PYTHONPATH=nobody_path())
    assert "/dev/vhost-net cannot be opened." in said and "usermod -aG kvm" in said
    told, _ = tour("run", "8", argv=drop, PYTHONPATH=nobody_path())
    assert "usermod -aG kvm" in told, "why not the kernel"
    assert "No tap: the other end is a small responder of ours" in told
    assert "open of /dev/net/tun says EACCES" in told and "To mend it:" in told
    _, said = tour("run", "8", argv=drop, code=3, PYTHONPATH=nobody_path(), TOUR_REQUIRE="tun")
    assert "TOUR_REQUIRE names tun" in said and "EACCES" in said


DROP = (
    "import os, sys; from tour.abi import libc; libc.prctl(4, 1);"
    "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534); libc.prctl(4, 1);"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def nobody_path() -> str:
    """Where an ordinary user's Python finds us and what we need."""
    import msgspec

    return os.pathsep.join([str(ROOT), str(Path(msgspec.__file__).parents[1])])


@functools.cache
def nobody_python() -> str:
    """A Python that an ordinary user may run with all we need, or the test is skipped."""
    for python in (sys.executable, "/usr/bin/python3"):
        test = [sys.executable, "-c", DROP, python, "-c", "import msgspec, typer, tour.abi._native"]
        env = {**os.environ, "PYTHONPATH": nobody_path()}
        if subprocess.run(test, capture_output=True, env=env, timeout=30, check=False).returncode == 0:
            return python
    pytest.skip("no Python here that an ordinary user may run with all that is needed")


@embedded
@AS_ROOT
@pytest.mark.requires("tun")
def test_an_ordinary_user_gets_a_real_tap() -> None:
    argv = (sys.executable, AS_NOBODY, nobody_python(), "-m", "tour.cli")
    told, _ = tour("run", "8", argv=argv, PYTHONPATH=nobody_path(), TOUR_REQUIRE="tun,embedded")
    assert "real network stack behind a tap" in told and "Every check held." in told


@embedded
@AS_ROOT
def test_namespaces_forbidden() -> None:
    argv = (sys.executable, AS_NOBODY, "--forbid", nobody_python(), "-m", "tour.cli")
    told, _ = tour("run", "8", argv=argv, PYTHONPATH=nobody_path())
    assert "No tap: the other end is a small responder of ours" in told and "Every check held." in told
    assert "sudo sysctl -w user.max_user_namespaces=15000" in told
    _, said = tour("run", "8", argv=argv, code=3, PYTHONPATH=nobody_path(), TOUR_REQUIRE="tun")
    assert "no network namespace" in said and "sudo sysctl" in said


@pytest.mark.parametrize("words", [["run", "8", "--lab"], ["lab", "run", "--", "true"]])
def test_vm_tools_missing(tmp_path: Path, words: list[str]) -> None:
    _, said = tour(*words, code=3, PATH=str(tmp_path))
    assert "apt-get install" in said and "qemu-system" in said


def test_the_compiled_part_missing() -> None:
    hidden = (sys.executable, "-c", HIDE, "-m")
    told, said = tour("run", "8", argv=hidden)
    assert "recording is replayed" in said and "apt-get install" in said and "Replayed" in told
    for words, env in ((["run", "8", "--device", "embedded"], ""), (["run", "8"], "embedded"), (["run", "8"], "tun")):
        _, said = tour(*words, argv=hidden, code=3, TOUR_REQUIRE=env)
        assert "compiled part" in said and "apt-get install" in said


HIDE = "import sys; sys.modules['tour.abi._native'] = None; del sys.argv[1];from tour.cli.entry import main; main()"


# -- 4, 124, 130: ends on the way -------------------------------------------------------------------------


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
