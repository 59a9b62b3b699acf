"""The two small processes between a front end and its agent: the *helper* and the *init*.

The helper, a child of the front end, leaves the system's namespaces before it has a thread or a heavy import,
and forks the init: process 1 of a pid namespace, so that its death is the death of everything below it.
The init runs the program it was given (the agent, or QEMU) as its child, reaps orphans and passes the end on.

Three ways lead to the same end, none needing any of the others: PR_SET_PDEATHSIG from parent to child, the end
of file of the control socket (or pipe) a dead parent leaves behind, and the pid namespace.

Reports go over the control socket, one SOCK_SEQPACKET message each, fields separated by tabs:
``init PID`` (carrying a pidfd), ``ready LAYERS REFUSED``, ``refused STEP ERRNO``, ``ended WHO HOW NUMBER``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from tour.abi import libc

FLAGS = {"user": libc.CLONE_NEWUSER, "net": libc.CLONE_NEWNET, "mount": libc.CLONE_NEWNS, "pid": libc.CLONE_NEWPID}
WANTS = {"full": ("net", "mount", "pid"), "pid": ("mount", "pid"), "none": ()}
LAYERS_ENV = libc.LAYERS_ENV
IPV6_SWITCHES = ("/proc/sys/net/ipv6/conf/all/disable_ipv6", "/proc/sys/net/ipv6/conf/default/disable_ipv6")


@dataclass(frozen=True)
class Order:
    """What the front end asked for. ``parent`` is its process id, or 0 when its thread may end before it does
    (then the control socket alone tells of its death); ``keep`` are descriptors for the program."""

    control: int
    parent: int
    isolate: str
    degrade: bool
    keep: tuple[int, ...]
    argv: list[str]

    @classmethod
    def parse(cls, words: list[str]) -> Order:
        """The inverse of ``words``."""
        control, parent, isolate, degrade, keep, *argv = words
        fds = tuple(int(fd) for fd in keep.split(",") if fd)
        return cls(int(control), int(parent), isolate, degrade == "degrade", fds, argv)

    def words(self) -> list[str]:
        """The order as arguments of the helper."""
        degrade = "degrade" if self.degrade else "strict"
        keep = ",".join(map(str, self.keep))
        return [str(self.control), str(self.parent), self.isolate, degrade, keep, *self.argv]


@dataclass
class Layers:
    """Which namespaces are around us, and which act was refused with which errno name."""

    active: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def refuse(self, act: str, error: OSError) -> None:
        """Remember that ``act`` failed."""
        self.refused.append(f"{act}:{errno.errorcode.get(error.errno or 0, '?')}")


class Reporter:
    """Our end of the control socket; a front end that is gone is no reason to fail."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        self.sock = socket.socket(fileno=fd)

    def say(self, *words: object, fds: tuple[int, ...] = ()) -> None:
        """Send one report."""
        with contextlib.suppress(OSError):
            socket.send_fds(self.sock, ["\t".join(map(str, words)).encode()], fds)


def main() -> NoReturn:
    """Entry of the helper: ``Order`` in sys.argv, the stream on descriptors 0 and 1."""
    order = Order.parse(sys.argv[1:])
    reporter = Reporter(order.control)
    libc.set_thread_name("tour-helper")
    if order.parent:
        libc.prctl_pdeathsig(signal.SIGKILL)
        if os.getppid() != order.parent:
            os._exit(1)
    layers = isolate(WANTS[order.isolate])
    if layers.refused and not order.degrade:
        reporter.say("refused", *layers.refused[0].split(":"))
        os._exit(3)
    still_here, parent_end = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(parent_end)
        run_init(order, layers, reporter, still_here)
    os.close(still_here)
    let_go(order.keep)
    watch(init, reporter, signal.SIGKILL if "pid" in layers.active else signal.SIGTERM)


def isolate(want: tuple[str, ...]) -> Layers:
    """Leave the namespaces in ``want``, as much as is allowed, with a user namespace where root needs none.

    Root must not have one of its own: it would lose the right to read other people's files.
    """
    layers = Layers()
    ids = os.geteuid(), os.getegid()
    fewer = tuple(name for name in want if name != "net")
    tries = [want, fewer] if ids[0] == 0 else []
    tries += [("user", *want), ("user", *fewer)] if want else []
    for names in tries:
        try:
            libc.unshare(sum(FLAGS[name] for name in names))
        except OSError as error:
            layers.refuse("unshare", error)
            continue
        if set(want) <= set(names):
            layers.refused.clear()
        settle(names, layers, ids)
        break
    return layers


def settle(names: tuple[str, ...], layers: Layers, ids: tuple[int, int]) -> None:
    """The first privileged acts in the fresh namespaces ``names``, which may be refused although the
    namespaces were not (Ubuntu 24.04); ``ids`` are the user and group outside."""
    uid, gid = ids
    layers.active += names
    if "user" in names:
        attempt(layers, "uid_map", lambda: map_ids(uid, gid, 0 if "net" in names else uid))
    if "mount" in names:
        attempt(layers, "mount", lambda: libc.mount("none", "/", "", libc.MS_REC | libc.MS_PRIVATE))


def attempt(layers: Layers, act: str, call: Callable[[], object]) -> bool:
    """Whether ``call()`` went through; a refusal is remembered under the name ``act``."""
    try:
        call()
    except OSError as error:
        layers.refuse(act, error)
        return False
    return True


def map_ids(uid: int, gid: int, inside: int) -> None:
    """Make ourselves user ``inside`` of our user namespace (user_namespaces(7): setgroups before gid_map)."""
    with contextlib.suppress(FileNotFoundError):
        write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{inside} {uid} 1")
    write("/proc/self/gid_map", f"{inside and gid} {gid} 1")


def write(path: str, text: str) -> None:
    """Write ``text`` to the existing file ``path`` in one call, as the kernel's switches want it."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def let_go(keep: tuple[int, ...]) -> None:
    """Close our copies of what belongs to the program, so that its end is an end of file elsewhere."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    for fd in (null, *keep):
        os.close(fd)


def watch(init: int, reporter: Reporter, stop: signal.Signals) -> NoReturn:
    """Helper: wait until the init ends or the front end goes, then ``stop`` the init; leave nothing."""
    pidfd = os.pidfd_open(init)
    reporter.say("init", init, fds=(pidfd,))
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(reporter.sock, select.POLLIN | select.POLLHUP)
    if any(fd != pidfd for fd, _ in poll.poll()):
        os.kill(init, stop)
    _, status = os.waitpid(init, 0)
    if os.WIFSIGNALED(status):
        reporter.say("ended", "init", "signal", os.WTERMSIG(status))
    os._exit(exit_code(status))


def exit_code(status: int) -> int:
    """A wait status as a shell tells it: 128 + n for signal n."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def run_init(order: Order, layers: Layers, reporter: Reporter, still_here: int) -> NoReturn:
    """The init: process 1 where there is a pid namespace, else a subreaper that sweeps behind the program."""
    libc.set_thread_name("tour-init")
    if "pid" not in layers.active:
        signal.signal(signal.SIGTERM, lambda *_: sweep_and_exit())
    libc.prctl_pdeathsig(signal.SIGKILL if "pid" in layers.active else signal.SIGTERM)
    if hung_up(still_here):
        os._exit(1)
    libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
    furnish(layers)
    program = start(order, layers, reporter)
    reporter.say("ready", ",".join(layers.active), ",".join(layers.refused))
    let_go(order.keep)
    status = reap(program)
    how = "signal" if os.WIFSIGNALED(status) else "code"
    reporter.say("ended", "program", how, exit_code(status) - (128 if how == "signal" else 0))
    if "pid" not in layers.active:
        sweep()
    os._exit(exit_code(status))


def hung_up(pipe: int) -> bool:
    """Whether the other end of ``pipe`` is closed; getppid says 0 across a pid namespace and cannot tell."""
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(0))


def furnish(layers: Layers) -> None:
    """A /proc that shows our processes, and a network without IPv6: a new tap would send frames nobody asked
    for. Neither is essential; what is active is told to the program."""
    if "mount" in layers.active and "pid" in layers.active:
        flags = libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC
        if attempt(layers, "proc", lambda: libc.mount("proc", "/proc", "proc", flags)):
            layers.active.append("proc")
    if "net" in layers.active and attempt(layers, "ipv6", disable_ipv6):
        layers.active.append("noipv6")


def disable_ipv6() -> None:
    """Switch IPv6 off for all links of this network namespace, present and future."""
    for path in IPV6_SWITCHES:
        with contextlib.suppress(FileNotFoundError):
            write(path, "1")


def start(order: Order, layers: Layers, reporter: Reporter) -> int:
    """Fork and exec the program; returns its process id, or reports why not and ends this process."""
    verdict, program_end = os.pipe()
    init = os.getpid()
    program = os.fork()
    if program == 0:
        exec_program(order, layers, init, program_end)
    os.close(program_end)
    failure = os.read(verdict, 64)
    os.close(verdict)
    if failure:
        reporter.say("refused", "exec", failure.decode())
        os._exit(127)
    return program


def exec_program(order: Order, layers: Layers, init: int, verdict: int) -> NoReturn:
    """In the child: become the program, or write the errno's name to ``verdict``."""
    try:
        libc.prctl_pdeathsig(signal.SIGKILL)
        if os.getppid() != init:
            os._exit(1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(order.argv[0], order.argv, {**os.environ, LAYERS_ENV: ",".join(layers.active)})
    except OSError as error:
        os.write(verdict, errno.errorcode.get(error.errno or 0, "?").encode())
    os._exit(127)


def reap(program: int) -> int:
    """Collect children until ``program`` ends; returns its wait status."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == program:
            return status


def sweep_and_exit() -> NoReturn:
    """Without a pid namespace the init answers SIGTERM: it takes everything below along."""
    sweep()
    os._exit(128 + signal.SIGTERM)


def sweep() -> None:
    """Kill what is below us, again and again (orphans become our children) until nothing is left."""
    with contextlib.suppress(OSError):
        while True:
            with open(f"/proc/self/task/{os.getpid()}/children") as file:
                for child in file.read().split():
                    os.kill(int(child), signal.SIGKILL)
            os.waitpid(-1, 0)
