"""Commands in a real machine with a real /dev/vhost-net: streams, exit codes, folders, bounds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.support import ROOT
from tour.errors import TimedOut
from tour.lab.boot import Options
from tour.lab.command import run

pytestmark = pytest.mark.requires("lab")

FEATURES = """
import fcntl
with open("/dev/vhost-net", "r+b", 0) as device:
    word = bytearray(8)
    fcntl.ioctl(device, 0x8008AF00, word)
print(hex(int.from_bytes(word, "little")))
"""
COMMON = 0x33D008000  # what vhost-net of Linux 6.1 offers, and every later one


class Output:
    """A file that a command writes to, read back afterwards."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)

    def read(self) -> bytes:
        return self.path.read_bytes()


@pytest.fixture
def out(tmp_path: Path) -> Output:
    return Output(tmp_path / "stdout")


@pytest.fixture
def err(tmp_path: Path) -> Output:
    return Output(tmp_path / "stderr")


def test_the_kernels_own_vhost_net_answers(out: Output) -> None:
    assert run([sys.executable, "-I", "-S", "-c", FEATURES], stdin=None, stdout=out.fd) == 0
    assert int(out.read(), 16) & COMMON == COMMON


def test_streams_are_byte_exact_and_the_exit_code_comes_back(out: Output, err: Output, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4096 + os.urandom(3 << 20)
    (tmp_path / "stdin").write_bytes(data)
    with (tmp_path / "stdin").open("rb") as source:
        code = run(
            ["sh", "-c", "cat; echo in the way >&2; exit 41"], stdin=source.fileno(), stdout=out.fd, stderr=err.fd
        )
    assert code == 41
    assert out.read() == data
    assert err.read() == b"in the way\n"


def test_a_reader_slower_than_the_command_gets_everything() -> None:
    """The command has long ended when its output is read."""
    read_end, write_end = os.pipe()
    got = bytearray()

    def reader() -> None:
        while data := os.read(read_end, 1024):
            got.extend(data)

    thread = threading.Thread(target=reader)
    thread.start()
    assert run(["head", "-c", "2000000", "/dev/zero"], stdin=None, stdout=write_end) == 0
    os.close(write_end)
    thread.join()
    os.close(read_end)
    assert bytes(got) == bytes(2000000)


def test_surroundings(out: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root, our working folder, the environment that matters; what is written below / ends with the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOUR_REQUIRE", "lab kernel")
    monkeypatch.setenv("SECRET_TOKEN", "no")
    script = f"""
    id -u; pwd; echo "$TOUR_REQUIRE"; echo "[$SECRET_TOKEN]"; $VHOST_TOUR_IP link show lo | grep -c LOOPBACK,UP
    echo x > {tmp_path}/written && echo x > {ROOT}/written-in-the-lab && echo wrote >/dev/stdout; wc -c </dev/stdin
    (sleep 1000; echo late) & kill -TERM $$
    """
    assert run(["sh", "-c", script], stdin=None, stdout=out.fd) == 128 + 15
    assert out.read().decode().splitlines() == ["0", str(tmp_path), "lab kernel", "[]", "1", "wrote", "0"]
    assert not (tmp_path / "written").exists()
    assert not (ROOT / "written-in-the-lab").exists()


def test_the_out_folder_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "a folder, really"
    folder.mkdir()
    (folder / "before").write_bytes(b"old")
    command = ["sh", "-c", 'cat "$1/before" > "$1/after" && head -c 3000000 /dev/zero > "$1/big"', "sh", str(folder)]
    assert run(command, stdin=None, options=Options(out=folder)) == 0
    assert (folder / "after").read_bytes() == b"old"
    assert (folder / "big").read_bytes() == bytes(3000000)


def test_more_modules_can_be_had(out: Output) -> None:
    assert run(["cat", "/proc/modules"], stdin=None, stdout=out.fd, options=Options(modules=("dummy",))) == 0
    assert b"dummy " in out.read()


def test_a_command_that_is_not_there(err: Output) -> None:
    assert run(["no-such-command"], stdin=None, stderr=err.fd) == 127
    assert b"no-such-command" in err.read()


def test_a_bound_ends_the_machine() -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut):
        run(["sleep", "1000"], stdin=None, timeout=0.5)
    assert time.monotonic() - began < 60


def test_progress_is_told_and_never_rests(out: Output) -> None:
    told: list[float] = [time.monotonic()]
    words: list[str] = []

    def progress(word: str) -> None:
        told.append(time.monotonic())
        words.append(word)

    run(["true"], stdin=None, stdout=out.fd, options=Options(progress=progress))
    assert max(later - sooner for sooner, later in zip(told, told[1:], strict=False)) < 2.5
    assert any("starting the command" in word for word in words)


def test_nobody_reading_ends_it() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with pytest.raises(BrokenPipeError):
        run(["yes"], stdin=None, stdout=write_end)
    os.close(write_end)


def test_an_ordinary_user_can_have_a_lab() -> None:
    """No root, no group, a home of one's own: only QEMU and readable files are needed."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    python = shutil.which("python3", path="/usr/bin")
    if python is None:
        pytest.skip("needs a Python that everybody may run")
    code = "from tour.lab.command import run; raise SystemExit(run(['ls', '/dev/vhost-net'], stdin=None))"
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, 65534, 65534)
        told = subprocess.run(
            [python, "-c", code],
            user=65534,
            group=65534,
            extra_groups=[],
            cwd=home,
            env={"HOME": home, "PATH": os.defpath, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=100,
        )
    assert (told.stdout, told.returncode) == (b"/dev/vhost-net\n", 0), told.stderr
