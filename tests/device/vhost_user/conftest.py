"""A server in this process with real sockets, memory and doorbells; a front end of ours, and one that says anything."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support import require
from tour.abi import vhost_user as abi
from tour.abi.names import Feature, word_of
from tour.abi.vhost_user import Request
from tour.device.contract import RX, TX, RingAddresses
from tour.device.embedded import EmbeddedDevice
from tour.device.vhost_user.connection import send_message
from tour.device.vhost_user.front_end import VhostUserDevice
from tour.memory.guest import GuestMemory
from tour.scene.ports import NullPorts, ServerPorts, SocketpairPorts
from tour.scene.serve import Server
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import RingLayout
from tour.virtqueue.ring import Ring

FEATURES = word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_NET_F_MRG_RXBUF)
RING_AT = {RX: 0x0000, TX: 0x8000}
BUFFERS = 0x40000
NUM = 8
T = TypeVar("T")


def wait_for(what: Callable[[], T], seconds: float = 5.0) -> T:
    """``what()`` as soon as it is true; a failure names it otherwise."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)
    return found


class Serving:
    """A server in a thread. ``events`` is all it told."""

    def __init__(self, path: Path, ports: ServerPorts, gear: str, once: bool = False) -> None:
        self.path = path
        self.events: list[ev.Event] = []

        def device(recorder: Recorder) -> EmbeddedDevice:
            return EmbeddedDevice(
                recorder, gear="engine" if gear == "engine" else "python", on_violation="quarantine", pipes=True
            )

        self.server = Server(path, ports, device, Recorder(self.events.append), once=once)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def told(self, kind: type[T]) -> list[T]:
        """Payloads of a kind, in order."""
        return [event.data for event in list(self.events) if isinstance(event.data, kind)]

    def notes(self) -> list[str]:
        """Keys of the notes."""
        return [note.key for note in self.told(ev.Note)]

    def close(self) -> None:
        if self.thread.is_alive():
            self.server.stop()
            self.thread.join(10)
        assert not self.thread.is_alive()
        self.server.close()
        self.server.ports.close()


Serve = Callable[..., Serving]


@pytest.fixture(params=["python", "engine"])
def gear(request: pytest.FixtureRequest) -> str:
    require("embedded")
    return str(request.param)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers; nothing of them is left: no descriptor, no thread, no socket."""
    require("embedded")
    before, threads = descriptors(), threading.active_count()
    with ExitStack() as stack:

        def start(port: str = "null", pairs: int = 1, gear: str = "engine", once: bool = False) -> Serving:
            ports = {"null": NullPorts, "socketpair": SocketpairPorts}[port](pairs)
            serving = Serving(tmp_path / f"s{len(os.listdir(tmp_path))}", ports, gear, once)
            stack.callback(serving.close)
            return serving

        yield start
    assert descriptors() == before
    assert threading.active_count() == threads
    assert not [name for name in os.listdir(tmp_path) if (tmp_path / name).is_socket()]


def descriptors() -> list[str]:
    """What this process has open, apart from what lists it."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue
    return sorted(found)


class Raw:
    """A front end that says anything. ``ask`` is a message with an answer, ``say`` one without."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(str(path))

    def say(self, request: int, payload: bytes = b"", fds: list[int] | None = None, flags: int = abi.VERSION) -> None:
        send_message(self.sock, request, flags, payload, fds or [])

    def ask(self, request: int, payload: bytes = b"", fds: list[int] | None = None, flags: int = abi.VERSION) -> bytes:
        self.say(request, payload, fds, flags)
        header = abi.HEADER.unpack(self.exactly(abi.HEADER.size))
        assert header["request"] == request and header["flags"] == abi.VERSION | abi.REPLY
        return self.exactly(header["size"])

    def acknowledged(self, request: int, payload: bytes = b"", fds: list[int] | None = None) -> int:
        """0 or 1, with REPLY_ACK negotiated."""
        return abi.U64.unpack(self.ask(request, payload, fds, abi.VERSION | abi.NEED_REPLY))["u64"]

    def negotiate(self) -> None:
        """All protocol features, and the session begun."""
        word = self.ask(Request.VHOST_USER_GET_PROTOCOL_FEATURES)
        self.say(Request.VHOST_USER_SET_PROTOCOL_FEATURES, word)
        self.say(Request.VHOST_USER_SET_OWNER)

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            assert piece, "the server closed the connection"
            data += piece
        return data

    def closed(self) -> bool:
        """Whether the server closes the connection, all answers to nothing."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


class Driver:
    """Guest memory, both rings and their doorbells, given to a back-end over the contract."""

    def __init__(self, path: Path, features: int = FEATURES, base: int = 0) -> None:
        self.stack = ExitStack()
        self.memory = self.stack.enter_context(GuestMemory([(0, 0x20000), (BUFFERS, 0x80000)]))
        self.device = VhostUserDevice(str(path))
        self.stack.callback(self.device.close)
        self.features = features
        self.rings = {
            index: Ring(self.memory, RingLayout(NUM, gpa, gpa + 16 * NUM, gpa + 0x4000), index)
            for index, gpa in RING_AT.items()
        }
        self.queues = {index: DriverQueue(ring, features) for index, ring in self.rings.items()}
        self.bells = {index: {name: self._bell() for name in ("kick", "call", "err")} for index in RING_AT}
        for queue in self.queues.values():
            queue.set_base(base)
        self.base = base

    def _bell(self) -> int:
        fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.stack.callback(os.close, fd)
        return fd

    def set_up(self) -> None:
        """Everything up to running rings."""
        self.device.set_owner()
        self.device.set_features(self.features)
        self.device.set_mem_table(self.memory.table)
        for index in (RX, TX):
            self.tell(index, self.base)

    def tell(self, index: int, base: int) -> None:
        """Ring ``index`` told and started."""
        device, bells = self.device, self.bells[index]
        device.set_vring_num(index, NUM)
        device.set_vring_base(index, base)
        device.set_vring_addr(index, self.addresses(index))
        device.set_vring_kick(index, bells["kick"])
        device.set_vring_call(index, bells["call"])
        device.set_vring_err(index, bells["err"])
        device.start(index)

    def addresses(self, index: int, flags: int = 0) -> RingAddresses:
        place = self.rings[index].hva
        return RingAddresses(place.desc, place.avail, place.used, self.rings[index].gpa.used, flags)

    def send(self, *packets: bytes) -> list[int]:
        """Offer packets (header first) and kick; the heads."""
        heads = []
        for number, packet in enumerate(packets):
            at = BUFFERS + 0x1000 * number
            self.memory.write(at, packet)
            heads.append(self.queues[TX].add(out=[(at, len(packet))]))
        self.queues[TX].publish()
        self.kick(TX)
        return heads

    def provide(self, count: int) -> None:
        """Offer ``count`` buffers to receive into."""
        for number in range(count):
            self.queues[RX].add(in_=[(BUFFERS + 0x40000 + 0x1000 * number, 2048)])
        self.queues[RX].publish()
        self.kick(RX)

    def kick(self, index: int) -> None:
        os.eventfd_write(self.bells[index]["kick"], 1)

    def reap(self, index: int, count: int) -> list[tuple[int, int]]:
        """``count`` chains that came back: (head, len)."""
        got: list[tuple[int, int]] = []

        def enough() -> bool:
            while (used := self.queues[index].reap()) is not None:
                got.append((used.head, used.len))
            return len(got) >= count

        wait_for(enough)
        return got

    def close(self) -> None:
        self.stack.close()

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
