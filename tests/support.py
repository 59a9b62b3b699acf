"""What tests share: the skip rule, waiting on conditions, and functions that run in a network of their own."""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tour.agent.spawn import spawn
from tour.errors import CapabilityMissing

ROOT = Path(__file__).resolve().parent.parent


# -- the skip rule ----------------------------------------------------------------------------------------


def required(name: str) -> bool:
    """Whether TOUR_REQUIRE names ``name``: then its absence is a failure."""
    return name in os.environ.get("TOUR_REQUIRE", "").split(",")


def require(name: str, probe: Callable[[], object] | None = None) -> None:
    """Skip the test when this machine lacks ``name``, or fail it where TOUR_REQUIRE names it.

    ``probe`` raises CapabilityMissing; tun, namespaces, embedded, kernel, lab and ssh have one here.
    """
    why = _verdict(name, probe or PROBES[name])
    if why and required(name):
        pytest.fail(f"TOUR_REQUIRE names {name}, but: {why}", pytrace=False)
    if why:
        pytest.skip(f"{name}: {why}")


@functools.cache
def _verdict(name: str, probe: Callable[[], object]) -> str:
    try:
        probe()
    except CapabilityMissing as error:
        return str(error)
    return ""


def probe_namespaces() -> None:
    """Raises CapabilityMissing unless namespaces of our own can be had."""
    spawn(["true"], isolate="full").close()


def probe_tun() -> None:
    """Raises CapabilityMissing unless a tap can be made in a namespace of our own."""
    probe_namespaces()
    code = "from tour.net.tap import TapPort; TapPort().close()"
    with spawn([sys.executable, "-c", code]) as child:
        if child.wait(30):
            raise CapabilityMissing("tun", "no tap can be made here", child.stderr_tail().strip()[-300:])


def probe_embedded() -> None:
    """Raises CapabilityMissing unless the compiled part is there."""
    from tour.abi import native

    native.lib()


def probe_kernel() -> None:
    """Raises CapabilityMissing unless /dev/vhost-net can be opened."""
    try:
        os.close(os.open("/dev/vhost-net", os.O_RDWR))
    except OSError as error:
        raise CapabilityMissing("kernel", f"/dev/vhost-net: {error.strerror}") from error


def probe_lab() -> None:
    """Raises CapabilityMissing unless QEMU, BusyBox and a kernel with vhost_net are there."""
    from tour.lab.kernel import find_tools

    find_tools()


def probe_ssh() -> None:
    """Raises CapabilityMissing unless an sshd of our own can be run for a test: as root, in namespaces."""
    for program in ("/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen"):
        if not os.path.exists(program):
            raise CapabilityMissing("ssh", f"{program} is not there.", "", "sudo apt-get install openssh-server")
    if os.geteuid() != 0:
        raise CapabilityMissing("ssh", "Only root can run an sshd in namespaces of its own.")
    probe_namespaces()


PROBES: dict[str, Callable[[], object]] = {
    "tun": probe_tun,
    "namespaces": probe_namespaces,
    "embedded": probe_embedded,
    "kernel": probe_kernel,
    "lab": probe_lab,
    "ssh": probe_ssh,
}


# -- waiting ----------------------------------------------------------------------------------------------


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
    """The first true value of ``condition()``; fails the test after ``seconds``."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s in vain for: {what}")
        time.sleep(0.002)
    return value


# -- a network of one's own -------------------------------------------------------------------------------


def in_own_network(test: Callable[..., None]) -> Callable[..., None]:
    """Run the test function in a fresh process with its own network, mounts and process numbers.

    The function must be at the top of its module; its arguments must be words (parametrize with strings).
    """

    @functools.wraps(test)
    def run(**arguments: str) -> None:
        require("tun")
        words = [f"{key}={value}" for key, value in arguments.items()]
        argv = [sys.executable, "-m", "tests.support", test.__module__, test.__name__, *words]
        with spawn(argv, cwd=str(ROOT)) as child:
            code = child.wait(100)
            if code == SKIPPED:
                pytest.skip(child.stderr_tail().strip().splitlines()[-1])
            if code:
                pytest.fail(child.reason() + "\n" + child.stderr_tail(), pytrace=False)

    run.inner = test  # type: ignore[attr-defined]
    return run


SKIPPED = 77


def main() -> None:
    """In the child: run one decorated test function, its failure told on standard error."""
    module, name, *words = sys.argv[1:]
    __import__(module)
    test = getattr(sys.modules[module], name)
    try:
        test.inner(**dict(word.split("=", 1) for word in words))
    except pytest.skip.Exception as skipped:
        print(skipped, file=sys.stderr)
        os._exit(SKIPPED)
    except BaseException:  # noqa: BLE001 - everything must be told to the parent
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


# -- looking at processes ---------------------------------------------------------------------------------


def namespace_of(pid: int, kind: str) -> str:
    """``pid:[4026531836]`` of a process, or '' when it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def members(namespace: str, kind: str = "pid") -> list[int]:
    """The living processes (as we see them) in ``namespace``, a value of ``namespace_of``."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if namespace_of(pid, kind) == namespace and alive(pid)]


def alive(pid: int) -> bool:
    """Whether ``pid`` is a process that is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def children(pid: int) -> list[int]:
    """The direct children of ``pid``."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
