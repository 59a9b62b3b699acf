"""What strace writes, read back: finished calls, calls cut in two by another thread, and lines of any kind."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import require, wait_until
from tour.errors import CapabilityMissing, TimedOut
from tour.scene.strace import Strace, Traced, parse

TOLD = """\
141 openat(AT_FDCWD</tmp>, "/dev/vhost-net", O_RDWR) = 10
141 ioctl(10</dev/vhost-net>, VHOST_SET_OWNER, 0) = 0
141 ioctl(9</dev/net/tun>, TUNSETVNETHDRSZ, 0x7ffe) = -1 EBADFD (File descriptor in bad state)
147 ioctl(15<anon_inode:kvm-vcpu:0>, KVM_RUN, 0 <unfinished ...>
141 read(9</dev/net/tun>, "\\1, 2) = 3"..., 69632) = 110
147 <... ioctl resumed>) = 0
141 --- SIGUSR1 {si_signo=SIGUSR1} ---
147 ppoll([{fd=6<anon_inode:[eventfd]>, events=POLLIN}], 1, NULL, NULL, 8) = 1 ([{fd=6, revents=POLLIN}])
141 +++ killed by SIGKILL +++
"""
BUSY = "import os, sys\nfd = os.open('/dev/null', os.O_RDWR)\nprint(1, flush=True)\nwhile True: os.write(fd, b'x')"


def probe() -> None:
    if subprocess.run(["which", "strace"], stdout=subprocess.DEVNULL, check=False).returncode:
        raise CapabilityMissing("strace", "strace is not installed.", "", "sudo apt-get install strace")


def test_calls_are_told_in_the_order_in_which_they_ended() -> None:
    names = [call.name for call in parse(TOLD)]
    assert names == ["openat", "ioctl", "ioctl", "read", "ioctl", "ppoll"]


def test_file_result_and_errno() -> None:
    opened, owner, refused, read, run, _ = parse(TOLD)
    assert (opened.args[1], opened.result) == ('"/dev/vhost-net"', 10)
    assert (
        owner == Traced("ioctl", ("10</dev/vhost-net>", "VHOST_SET_OWNER", "0"), 0) and owner.path == "/dev/vhost-net"
    )
    assert (refused.result, refused.errno, refused.path) == (-1, "EBADFD", "/dev/net/tun")
    assert (read.path, read.result) == ("/dev/net/tun", 110)
    assert run.args[1] == "KVM_RUN" and run.path == "anon_inode:kvm-vcpu:0"


@given(st.lists(st.sampled_from(TOLD.splitlines()) | st.text(max_size=80)))
def test_any_line_is_read_or_passed_over(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = parse(text)
    assert len(found) <= len(text.splitlines()) and all(call.name for call in found)


def test_a_process_is_held_looked_at_and_let_go() -> None:
    require("strace", probe)
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline()
        with Strace(child.pid, "write") as traced:
            wait_until(lambda: len(traced.calls()) > 10, "ten calls")
            calls = traced.let_go()
        assert {(call.name, call.path, call.result) for call in calls} == {("write", "/dev/null", 1)}
        assert child.poll() is None, "it lives on"
        child.kill()


def test_what_is_gone_cannot_be_attached_to() -> None:
    require("strace", probe)
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    began = time.monotonic()
    with pytest.raises(TimedOut, match="strace"):
        Strace(gone.pid)
    assert time.monotonic() - began < 20 and not os.path.exists(f"/proc/{gone.pid}")
