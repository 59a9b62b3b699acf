"""QMP and another process's memory: what is asked, what is refused, and what a person is told then."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import wait_until
from tour.device.qmp import QUERIES, Memory, Qemu, Qmp, Refused, worker_of
from tour.errors import CapabilityMissing, TourError, UsageError

GREETING = '{"QMP": {"version": {"qemu": {"micro": 0, "minor": %d, "major": %d}}, "capabilities": []}}\n'
QEMU = shutil.which("qemu-system-x86_64")
needs_qemu = pytest.mark.skipif(QEMU is None, reason="qemu-system-x86_64 is not installed")


class Peer:
    """Something else that listens: says ``said`` to who comes, then what ``answers`` has for each line it hears."""

    def __init__(self, path: Path, said: str, *answers: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._said, self._answers = said, answers
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        sock, _ = self._listener.accept()
        with sock:
            sock.sendall(self._said.encode())
            for answer in self._answers:
                if not sock.recv(65536):
                    return
                sock.sendall(answer.encode())

    def close(self) -> None:
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def qemu(tmp_path: Path) -> Iterator[Path]:
    """A QEMU without any device."""
    path = tmp_path / "qmp"
    argv = [str(QEMU), "-M", "none", "-display", "none", "-qmp", f"unix:{path},server=on,wait=off"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: str(path) in listening(), "its socket")
            yield path
        finally:
            process.kill()


def listening() -> set[str]:
    """The Unix sockets somebody listens on (flag __SO_ACCEPTCON of /proc/net/unix): a bound one may not yet."""
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {row[7] for row in rows if len(row) > 7 and int(row[3], 16) & 0x10000}


@needs_qemu
def test_a_qemu_tells_its_version_and_its_process(qemu: Path) -> None:
    session = Qmp(qemu)
    assert session.version >= (7, 2) and "qemu" in Path(f"/proc/{session.pid}/comm").read_text()
    with pytest.raises(Refused):
        session.ask("x-query-virtio-status", path="/machine/nothing")
    session.close()


@needs_qemu
def test_a_qemu_without_a_network_device_is_told_so(qemu: Path) -> None:
    with pytest.raises(UsageError, match="no virtio network device"):
        Qemu(qemu)


@needs_qemu
def test_a_socket_that_somebody_else_holds_is_told_so(qemu: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Qmp(qemu)
    monkeypatch.setattr("tour.device.qmp.PATIENCE", 0.3)
    with pytest.raises(UsageError) as refused:
        Qmp(qemu)
    assert "one at a time" in refused.value.why
    first.close()


def test_only_queries_are_ever_asked() -> None:
    assert all(query == "qmp_capabilities" or query.startswith("x-query-") for query in QUERIES)
    assert "x-query-virtio-queue-status" not in QUERIES


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (GREETING % (1, 7), "version 7.1"), ("SSH-2.0-OpenSSH\n", "does not speak QMP"), ("[]\n", "does not speak QMP"),
        ('{"QMP": {"version": 7}}\n', "does not speak QMP"), ("", "closed"), ("no line", "closed"),
    ],
)  # fmt: skip
def test_what_is_no_qemu_is_told_so(tmp_path: Path, said: str, error: str) -> None:
    peer = Peer(tmp_path / "s", said)
    with pytest.raises(TourError, match=error):
        Qmp(tmp_path / "s")
    peer.close()


def test_where_nobody_listens_it_is_told_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        Qmp(tmp_path / "nothing")
    assert "-qmp unix:" in refused.value.fix


def test_events_between_answers_are_passed_over(tmp_path: Path) -> None:
    event = '{"event": "RESUME", "timestamp": {}}\n'
    peer = Peer(tmp_path / "s", GREETING % (2, 7), event + '{"return": {}}\n', event + '{"return": [1]}\n')
    session = Qmp(tmp_path / "s")
    assert session.ask("x-query-virtio") == [1]
    session.close()
    peer.close()


def test_memory_is_read_as_it_is_and_opened_for_reading_only() -> None:
    held = ctypes.create_string_buffer(b"shared words", 64)
    memory = Memory(os.getpid(), "")
    assert memory.read(ctypes.addressof(held), 12) == b"shared words"
    flags = Path(f"/proc/self/fdinfo/{memory._fd}").read_text().split("flags:")[1].split()[0]
    assert int(flags, 8) & os.O_ACCMODE == os.O_RDONLY
    for nowhere in (0x1000, 1 << 63, 1 << 64, -1):
        with pytest.raises(OSError):
            memory.read(nowhere, 8)
    memory.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_without_the_right_the_command_that_has_it_is_told() -> None:
    parent, (read, write) = os.getpid(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setuid(65534)
            Memory(parent, "sudo tour watch --qmp /run/q")
        except CapabilityMissing as error:
            os.write(write, f"{error.name} {error}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read, "rb") as said:
        text = said.read().decode()
    assert text.startswith("ptrace") and "may trace it" in text and "sudo tour watch --qmp /run/q" in text


def test_a_process_without_vhost_has_no_worker() -> None:
    assert worker_of(os.getpid()) is None
