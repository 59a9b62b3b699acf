"""``tour vhost-user``: the server put together, in this process: network, port, devices, watch door.

The Linux part (scene, device, net) is imported when it is used. Whatever kills this process leaves nothing behind:
the network namespace and its tap end with it, what ``exec`` names dies with it, and a keeper removes the sockets.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tour import __version__
from tour.abi.libc import LAYERS_ENV
from tour.errors import UsageError
from tour.trace import events as ev
from tour.trace.recorder import Recorder, Sink

if TYPE_CHECKING:
    from tour.agent.spawn import AgentProcess
    from tour.scene.ports import ServerPorts
    from tour.scene.serve import Server

QUEUES_MOST = 64
"""Queue pairs: more than any driver in use takes, each costs a worker thread."""
TAP = "tap0"
KEEPER = 'read -r _; shift; for f in "$@"; do [ -S "$f" ] && rm -f -- "$f"; done'


class ServeOptions(msgspec.Struct, frozen=True):
    """What was asked for. ``port`` is ``netns`` (a namespace with an addressed tap), ``tap`` (the existing one
    ``tap``), ``socketpair`` or ``null``; ``command`` runs in the namespace; ``busy_poll`` is microseconds."""

    socket: str
    port: str = "netns"
    tap: str = ""
    command: str = ""
    queues: int = 1
    busy_poll: int = 0
    gear: str = "engine"
    once: bool = False
    watch: bool = True


def serve(options: ServeOptions, sinks: Sequence[Sink], ready: Callable[[], None] = lambda: None) -> int:
    """Serve until SIGTERM, SIGINT or, with ``once``, until the first front end has left. Returns 0.

    Call it from the main thread, before any other thread exists. ``ready`` is called when front ends may come.
    Raises UsageError, CapabilityMissing.
    """
    _check(options)
    if options.port == "netns":
        enter_own_network()
    _more_descriptors()
    recorder = Recorder(*sinks)
    with contextlib.ExitStack() as stack:
        ports = _open_ports(options)
        stack.callback(ports.close)
        server = stack.enter_context(_server(options, ports, recorder))
        stack.enter_context(_keeper(options))
        recorder.emit(hello(options), actor="tour")
        if options.watch:
            stack.enter_context(_door(options, server, recorder))
        if options.command:
            stack.enter_context(_running(options.command, server, recorder))
        _stop_on_signals(server)
        ready()
        server.run()
    recorder.emit(ev.Bye(), actor="tour")
    return 0


def _check(options: ServeOptions) -> None:
    if options.gear not in ("engine", "python"):
        raise UsageError(f"There is no gear '{options.gear}'.", "", "choose engine or python")
    if not 1 <= options.queues <= QUEUES_MOST:
        raise UsageError(f"--queues takes 1 to {QUEUES_MOST} queue pairs.", "", "tour vhost-user --queues 2")
    if not 0 <= options.busy_poll <= 1_000_000:
        raise UsageError("--busy-poll takes 0 to 1000000 microseconds.", "", "tour vhost-user --busy-poll 50")
    if options.tap and options.tap not in (name for _, name in socket.if_nameindex()):
        raise UsageError(
            f"There is no link {options.tap} here.", "A tap is attached to, never made, in the system's network.",
            f"ip tuntap add dev {options.tap} mode tap vnet_hdr user $USER",
        )  # fmt: skip


def hello(options: ServeOptions) -> ev.Hello:
    """The stream's first event."""
    uname = os.uname()
    return ev.Hello(
        ev.PROTOCOL, ev.SCHEMA, __version__, "embedded", uname.release,
        "tap" if options.port in ("netns", "tap") else options.port, ev.WATCH,
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), uname.machine, pid=os.getpid(), gear=options.gear,
    )  # fmt: skip


def enter_own_network() -> None:
    """Leave the system's network for one of our own, without IPv6 and with ``lo`` up, and say so to what we start.

    Raises CapabilityMissing("namespaces").
    """
    from tour.agent.init import disable_ipv6, isolate
    from tour.agent.spawn import refusal

    layers = isolate(("net",))
    if layers.refused:
        raise refusal(*layers.refused[0].split(":"))
    with contextlib.suppress(OSError):
        disable_ipv6()
    os.environ[LAYERS_ENV] = ",".join(layers.active)
    from tour.net.address import bring_up

    bring_up("lo")


def _more_descriptors() -> None:
    """A queue pair takes some twenty descriptors, a front end may bring more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        wanted = min(hard, 1 << 16) if hard != resource.RLIM_INFINITY else 1 << 16
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _open_ports(options: ServeOptions) -> ServerPorts:
    from tour.scene.ports import NullPorts, SocketpairPorts, TapPorts

    if options.port == "null":
        return NullPorts(options.queues)
    if options.port == "socketpair":
        return SocketpairPorts(options.queues)
    from tour.net.address import bring_up
    from tour.net.frames import PEER_IP, PEER_MAC, PREFIX
    from tour.net.queue_tap import QueueTap

    tap = QueueTap(options.tap or TAP, options.queues)
    if options.port == "netns":
        try:
            bring_up(tap.name, PEER_IP, PEER_MAC, PREFIX)
        except BaseException:
            tap.close()
            raise
    return TapPorts(tap)


def _server(options: ServeOptions, ports: ServerPorts, recorder: Recorder) -> Server:
    from tour.abi import native
    from tour.device.embedded import EmbeddedDevice
    from tour.scene.serve import Server

    native.lib()

    def device(told: Recorder) -> EmbeddedDevice:
        return EmbeddedDevice(
            told, gear="engine" if options.gear == "engine" else "python", on_violation="quarantine", pipes=True,
            busy_poll_us=options.busy_poll,
        )  # fmt: skip

    try:
        return Server(Path(options.socket), ports, device, recorder, once=options.once)
    except BaseException:
        ports.close()
        raise


@contextlib.contextmanager
def _keeper(options: ServeOptions) -> Iterator[None]:
    """A shell that waits for our end, however it comes, and removes sockets that we then could not."""
    from tour.agent.watch_door import SUFFIX

    paths = [os.path.abspath(options.socket), os.path.abspath(options.socket) + SUFFIX]
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", KEEPER, "tour-keeper", "", *paths],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/",
    )  # fmt: skip
    try:
        yield
    finally:
        keeper.kill()
        keeper.wait()
        if keeper.stdin:
            keeper.stdin.close()


@contextlib.contextmanager
def _door(options: ServeOptions, server: Server, recorder: Recorder) -> Iterator[None]:
    """The watch door beside the socket, and the sampler that looks while somebody watches."""
    from tour.agent.watch_door import SUFFIX, Door
    from tour.device.embedded import EmbeddedDevice
    from tour.device.pairs import Pairs
    from tour.device.sampler import Sampler

    def devices() -> list[EmbeddedDevice]:
        session = server.session
        return [device for device in session.devices if isinstance(device, EmbeddedDevice)] if session else []

    pairs = Pairs(devices)
    sampler = Sampler(pairs.eyes, recorder, around=pairs.around)
    door = Door(Path(options.socket + SUFFIX), lambda: hello(options), sampler, pairs)
    recorder.sinks.append(door)
    try:
        yield
    finally:
        recorder.sinks.remove(door)
        door.close()
        sampler.close()


@contextlib.contextmanager
def _running(command: str, server: Server, recorder: Recorder) -> Iterator[None]:
    """``command`` below a shell where the tap is; its output becomes our standard error."""
    from tour.agent.spawn import spawn

    argv = ["/bin/sh", "-c", 'exec sh -c "$1" </dev/null 2>&1', "sh", command]
    with spawn(argv, isolate="pid", degrade=True, stderr=subprocess.DEVNULL) as process:
        server.add(process.stream.fileno(), lambda: _pass_on(process, server, recorder))
        yield
        server.drop(process.stream.fileno())


def _pass_on(process: AgentProcess, server: Server, recorder: Recorder) -> None:
    data = process.stream.recv(65536)
    if data:
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), data)
        return
    server.drop(process.stream.fileno())
    recorder.emit(ev.Note("serve.command_ended", {"code": process.wait(10.0)}), actor="control")


def _stop_on_signals(server: Server) -> None:
    def stop(*_: object) -> None:
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
