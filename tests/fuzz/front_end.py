"""A front end that does what a list says: messages, bytes, words in guest memory, kicks; and the session it is done to.

A list is an input of the fuzzer. Its steps are lists themselves, kept in the corpus as JSON:
``["say", request, flags, layout, [numbers], [kinds of descriptors]]``, ``["bytes", hex]``, ``["poke", offset, value]``
(a 64-bit word of guest memory), ``["kick"]``, ``["shrink", size]`` (guest memory's file).
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from contextlib import ExitStack, suppress
from typing import Any, Literal

from tour.abi import vhost_user as abi
from tour.device.embedded import EmbeddedDevice
from tour.device.vhost_user.connection import Connection, PeerGone
from tour.device.vhost_user.exchange import exchange
from tour.device.vhost_user.session import Session
from tour.errors import MessageError
from tour.scene.ports import NullPorts
from tour.trace import events as ev
from tour.trace.recorder import Recorder

Step = list[Any]
Gear = Literal["python", "engine", "still"]
SIZE = 0x20000
KINDS = ("memory", "kick", "bell", "pipe", "null", "socket", "read_only")
WORD = (1 << 64) - 1


class Descriptors:
    """One descriptor of each kind, made once for all inputs: ``memory`` is guest memory."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.memory = os.memfd_create("guest", os.MFD_CLOEXEC)
        self.kick, self.bell = (os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(2))
        self.pipe, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self.socket = socket.socket(socket.AF_UNIX).detach()
        self.read_only = os.open(f"/proc/self/fd/{self.memory}", os.O_RDONLY | os.O_CLOEXEC)
        for fd in (self.read_only, self.memory, self.kick, self.bell, self.pipe, self._write, self.null, self.socket):
            self._stack.callback(os.close, fd)

    def fresh(self) -> None:
        """Guest memory all zeros and of its size, no bell rung."""
        os.ftruncate(self.memory, 0)
        os.ftruncate(self.memory, SIZE)
        for fd in (self.kick, self.bell):
            with suppress(BlockingIOError):
                os.eventfd_read(fd)

    def close(self) -> None:
        """Close all."""
        self._stack.close()


class Still(EmbeddedDevice):
    """Nobody turns its rings: what is said is all there is, and no thread has to be waited for."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder, on_violation="quarantine", pipes=True)
        self._turner.start = lambda: None  # type: ignore[method-assign]


class Attack:
    """A session, and the steps of one input done to it. ``broken`` are the reasons of rings that broke."""

    def __init__(self, have: Descriptors, ports: NullPorts, gear: Gear) -> None:
        self.have = have
        self.errors: list[str] = []
        self.refused: set[str] = set()
        self.broken: set[str] = set()
        near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.far.setblocking(False)
        self.connection = Connection(near)

        def device(recorder: Recorder) -> EmbeddedDevice:
            if gear == "still":
                return Still(recorder)
            return EmbeddedDevice(recorder, gear=gear, on_violation="quarantine", pipes=True)

        self.session = Session(ports, device, Recorder(self._told))

    def _told(self, event: ev.Event) -> None:
        data = event.data
        if isinstance(data, ev.Error):
            self.errors.append(f"{data.what} {data.why}")
        elif isinstance(data, ev.Broken):
            self.broken.add(data.reason)
            if data.reason.startswith(
                ("defect", "AttributeError", "TypeError", "ValueError", "IndexError", "KeyError")
            ):
                self.errors.append(data.reason)
        elif isinstance(data, ev.Message) and data.fault:
            self.refused.add(data.fault)

    def run(self, steps: list[Step]) -> None:
        """Every step, until the connection ends; then the session is closed."""
        try:
            for step in steps:
                self._step(step)
                self._serve()
        except PeerGone:
            pass
        except MessageError as error:
            self.refused.add(error.fault.value)
        finally:
            self.connection.close()
            self.session.close()
            self.far.close()

    def _serve(self) -> None:
        while (message := self.connection.receive()) is not None:
            exchange(self.session, self.connection, message)
            with suppress(BlockingIOError):
                self.far.recv(4096)

    def _step(self, step: Step) -> None:
        with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            getattr(self, f"_{step[0]}")(*step[1:])

    def _say(self, request: int, flags: int, layout: str, numbers: list[int], kinds: list[str]) -> None:
        payload = b"".join(
            struct.pack(f"={kind}", number & ((1 << 8 * struct.calcsize(f"={kind}")) - 1))
            for kind, number in zip(layout, numbers, strict=False)
        )
        data = abi.HEADER.pack(request & 0xFFFFFFFF, flags & 0xFFFFFFFF, len(payload)) + payload
        socket.send_fds(self.far, [data], [getattr(self.have, kind) for kind in kinds])

    def _bytes(self, text: str) -> None:
        self.far.send(bytes.fromhex(text))

    def _poke(self, offset: int, value: int) -> None:
        if os.fstat(self.have.memory).st_size == SIZE:
            os.pwrite(self.have.memory, struct.pack("=Q", value & WORD), offset % (SIZE - 8))

    def _kick(self) -> None:
        os.eventfd_write(self.have.kick, 1)

    def _shrink(self, size: int) -> None:
        os.ftruncate(self.have.memory, size % (SIZE + 1))


def wrong(have: Descriptors, ports: NullPorts, steps: list[Step], gear: Gear) -> list[str]:
    """Do ``steps``; what must never be, [] when all is well. Exceptions pass."""
    have.fresh()
    before, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    attack = Attack(have, ports, gear)
    attack.run(steps)
    found = list(attack.errors)
    if (leaked := len(os.listdir("/proc/self/fd")) - before) > 0:
        found.append(f"{leaked} descriptors leaked")
    if threading.active_count() != threads:
        found.append("a thread is left")
    return found
