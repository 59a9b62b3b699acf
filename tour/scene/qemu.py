"""A real QEMU with a Linux guest, started and looked at from outside: its calls, its files, its threads.

Its card is a PCI one with MSI-X: only there KVM takes both doorbells (QEMU's virtio-mmio has no irqfd,
hw/virtio/virtio-mmio.c@7.2, virtio_mmio_set_guest_notifiers).
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tour.device.worker import PREFIX, WorkerThread
from tour.errors import AgentLost, CapabilityMissing, TimedOut
from tour.lab.qemu import tsc_khz
from tour.net.frames import GUEST_MAC
from tour.scene.nic import Nic
from tour.scene.qemu_guest import DONE, READY, GuestFiles
from tour.scene.strace import Strace, Traced

PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "strace": "strace", "setpriv": "util-linux"}
MEMORY = 128
BOOT_SECONDS = 150.0
COMMAND_SECONDS = 90.0
END_SECONDS = 40.0
CARD = f"virtio-net-pci,netdev=n,mac={GUEST_MAC},disable-legacy=on,romfile="
WORDS = "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t cryptomgr.notests mitigations=off random.trust_cpu=on"
HELD = 'kill -STOP $$; exec "$@"'
"""A shell that waits for a SIGCONT, so that strace holds the process before its first call."""


def check(nic: Nic) -> None:
    """Whether a QEMU here has a vhost to use. Raises CapabilityMissing("kernel")."""
    if nic.chosen.device != "kernel":
        what = "A real QEMU with vhost=on needs the kernel's /dev/vhost-net."
        raise CapabilityMissing("kernel", what, nic.chosen.why_not_kernel, "tour run 17 --lab --device kernel")


def programs() -> str:
    """QEMU's path. Raises CapabilityMissing("qemu") naming every package that lacks."""
    lacking = [package for name, package in PROGRAMS.items() if not shutil.which(name)]
    if lacking:
        what = f"Not installed here: {', '.join(lacking)}."
        raise CapabilityMissing("qemu", what, "", f"sudo apt-get install {' '.join(lacking)}")
    return shutil.which("qemu-system-x86_64") or ""


class Qemu:
    """QEMU with ``netdev``, which may name the descriptors ``fds``; ``before`` are words in front of its command line.

    It is held at its very beginning until ``begin``. Raises CapabilityMissing("qemu").
    """

    def __init__(
        self, nic: Nic, files: GuestFiles, netdev: str, fds: Sequence[int] = (), before: Sequence[str] = ()
    ) -> None:
        self._folder = nic.stack.enter_context(tempfile.TemporaryDirectory(prefix="qemu-"))
        monitor = [] if before else ["-qmp", f"unix:{self._qmp},server=on,wait=off"]
        self.argv = [*before, *_command_line(programs(), files, netdev), *monitor]
        self._process = subprocess.Popen(
            ["sh", "-c", HELD, "sh", *self.argv],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=tuple(fds), bufsize=0,
        )  # fmt: skip
        nic.stack.callback(self.close)
        self.pid = self._process.pid
        self._heard = b""

    @property
    def _qmp(self) -> str:
        return f"{self._folder}/qmp"

    # --- its life ---

    def begin(self) -> list[Traced]:
        """Let it go on under strace until its processor runs; the calls it made so far that open or set something."""
        self._until(lambda: self._state() == "T", 10.0, "QEMU was not held.")
        with Strace(self.pid, "ioctl,openat") as traced:
            os.kill(self.pid, signal.SIGCONT)
            self._until(lambda: "KVM_RUN" in traced.text(), BOOT_SECONDS, "QEMU did not start its processor.")
            return traced.let_go()

    def end(self) -> tuple[list[str] | None, list[Traced]]:
        """Let it go on under strace, for an end that is expected: what it said, and its calls as ``begin`` tells them.

        None for what it said if it lives after ``END_SECONDS``.
        """
        self._until(lambda: self._state() == "T", 10.0, "QEMU was not held.")
        with Strace(self.pid, "ioctl,openat") as traced:
            os.kill(self.pid, signal.SIGCONT)
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                return None, traced.let_go()
            calls = traced.let_go()
        assert self._process.stdout
        said = self._process.stdout.read() or b""
        lines = said.decode(errors="replace").splitlines()
        return [line.partition(": ")[2] for line in lines if ": " in line], calls

    def come_up(self) -> None:
        """Wait until the guest takes commands. Raises TimedOut, AgentLost."""
        self._hear(READY, BOOT_SECONDS)

    def command(self, line: str, seconds: float = COMMAND_SECONDS) -> list[str]:
        """Run a shell's line in the guest; what it wrote. Raises AgentLost if it failed there, TimedOut."""
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")
        said = self._hear(DONE, seconds)
        if said[-1] != f"{DONE}0":
            raise AgentLost("A command in the guest failed.", "\n".join([line, *said[-6:]]))
        return said[:-1]

    def close(self) -> None:
        """End it at once. Safe to call again."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()

    # --- looking at it ---

    def worker(self) -> WorkerThread | None:
        """Its vhost worker: a kernel thread of its name (up to Linux 6.3), or one of its own threads."""
        name = f"{PREFIX}{self.pid}"
        if self._process.poll() is not None:
            return None
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            if _comm(task) == name:
                return WorkerThread(name, int(task.name), "thread", str(self.pid))
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and _comm(folder) == name:
                return WorkerThread(name, int(folder.name), "kthread")
        return None

    def threads(self) -> list[str]:
        """The names of its threads."""
        return [_comm(task) for task in Path(f"/proc/{self.pid}/task").iterdir()]

    def files(self) -> list[tuple[int, str]]:
        """Its open descriptors and what each of them is."""
        found = []
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.append((int(entry.name), os.readlink(entry)))
        return sorted(found)

    def network(self) -> str:
        """What its monitor says of its network (``info network``, which changes nothing). Raises OSError."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(self._qmp)
            with sock.makefile("rw") as talk:
                talk.readline()
                for execute, arguments in (
                    ("qmp_capabilities", {}),
                    ("human-monitor-command", {"command-line": "info network"}),
                ):
                    talk.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
                    talk.flush()
                    while "return" not in (answer := json.loads(talk.readline())):
                        pass
        return str(answer["return"])

    def user(self) -> int:
        """The user it runs as."""
        return os.stat(f"/proc/{self.pid}").st_uid

    # --- its console ---

    def _hear(self, wanted: str, seconds: float) -> list[str]:
        """Its lines up to the one that begins with ``wanted``."""
        assert self._process.stdout
        until, said = time.monotonic() + seconds, list[str]()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while True:
                *lines, self._heard = self._heard.split(b"\n")
                for at, line in enumerate(lines):
                    said.append(line.decode(errors="replace").rstrip("\r"))
                    if said[-1].startswith(wanted):
                        self._heard = b"\n".join([*lines[at + 1 :], self._heard])
                        return said
                self._more(selector, until, said)

    def _more(self, selector: selectors.BaseSelector, until: float, said: list[str]) -> None:
        assert self._process.stdout
        if not selector.select(max(0.0, until - time.monotonic())):
            raise TimedOut("The guest fell silent.", "\n".join(said[-6:]))
        data = os.read(self._process.stdout.fileno(), 65536)
        if not data:
            raise AgentLost("QEMU has ended.", "\n".join(said[-6:]))
        self._heard += data

    def _state(self) -> str:
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat[stat.rindex(")") + 2]

    def _until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until or self._process.poll() is not None:
                raise TimedOut(what, self._heard.decode(errors="replace"))
            time.sleep(0.02)


def _comm(folder: Path) -> str:
    try:
        return (folder / "comm").read_text().strip()
    except OSError:
        return ""


def _command_line(program: str, files: GuestFiles, netdev: str) -> list[str]:
    clock = f"tsc_early_khz={tsc_khz()} tsc=reliable no_timer_check"
    return [
        program, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-M", "q35", "-m", f"{MEMORY}M",
        "-accel", "kvm", "-cpu", "host", "-smp", "1", "-kernel", str(files.kernel), "-initrd", str(files.initramfs),
        "-append", f"{WORDS} {clock}", "-chardev", "stdio,id=c,signal=off", "-serial", "chardev:c",
        "-netdev", netdev, "-device", CARD,
    ]  # fmt: skip
