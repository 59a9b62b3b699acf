"""A port without a network: a pair of sockets, and a responder on the other end that plays the peer.

For machines that allow no tap. It answers ARP requests for its address and ICMP echoes, nothing else, and says of
itself that it is not real. The kernel's vhost-net refuses such a descriptor; our embedded device takes it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque

from tour.net.file import FRAME_MAX, readable
from tour.net.frames import (
    ARP_REPLY,
    ARP_REQUEST,
    ICMP_ECHO_REPLY,
    ICMP_ECHO_REQUEST,
    NET_HDR_LEN,
    PEER_IP,
    PEER_MAC,
    Arp,
    Echo,
    arp,
    echo,
    parse_arp,
    parse_echo,
)
from tour.net.seen import SeenFrame
from tour.trace.events import Syscall
from tour.trace.recorder import Recorder, here


def answer(frame: bytes) -> bytes | None:
    """The frame our peer sends back for ``frame``, or None. Nothing in ``frame`` can make it raise."""
    try:
        return _answer_arp(parse_arp(frame))
    except ValueError:
        pass
    try:
        return _answer_echo(parse_echo(frame))
    except ValueError:
        return None


def _answer_arp(asked: Arp) -> bytes | None:
    if asked.oper != ARP_REQUEST or asked.tpa != PEER_IP:
        return None
    return arp(Arp(ARP_REPLY, PEER_MAC, PEER_IP, asked.sha, asked.spa))


def _answer_echo(asked: Echo) -> bytes | None:
    if asked.kind != ICMP_ECHO_REQUEST or (asked.dst, asked.dst_mac) != (PEER_IP, PEER_MAC):
        return None
    back = Echo(
        ICMP_ECHO_REPLY, PEER_MAC, asked.src_mac, PEER_IP, asked.src, asked.ident, asked.seq, asked.data
    )  # fmt: skip
    return echo(back)


class ArpIcmpResponder(threading.Thread):
    """The peer: reads what the guest sends, answers, and shows both to every observer."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(name="peer", daemon=True)
        self._sock = sock
        self._observers: list[QueueObserver] = []

    def run(self) -> None:
        """Answer until the socket is shut down."""
        while data := self._receive():
            frame = data[NET_HDR_LEN:]
            self._show("out", frame)
            reply = answer(frame)
            if reply is not None:
                self._send(reply)

    def _receive(self) -> bytes:
        try:
            return self._sock.recv(FRAME_MAX)
        except OSError:
            return b""

    def _send(self, frame: bytes) -> None:
        self._show("in", frame)
        try:
            self._sock.send(bytes(NET_HDR_LEN) + frame, socket.MSG_DONTWAIT)
        except OSError:
            return  # a full queue drops frames, as a tap's does; a closed one has nobody to tell

    def _show(self, direction: str, frame: bytes) -> None:
        seen = SeenFrame(direction, frame, time.monotonic_ns())
        for observer in list(self._observers):
            observer.put(seen)

    def observe(self) -> QueueObserver:
        """A fresh observer, seeing frames from now on."""
        observer = QueueObserver()
        self._observers.append(observer)
        return observer


class QueueObserver:
    """Frames as the responder saw them; the same interface as ``TapObserver``."""

    def __init__(self) -> None:
        self._frames: deque[SeenFrame] = deque()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()

    def put(self, seen: SeenFrame) -> None:
        """Called by the responder."""
        with self._lock:
            if self._event >= 0:
                self._frames.append(seen)
                os.eventfd_write(self._event, 1)

    def fileno(self) -> int:
        """A descriptor that is readable when ``poll`` has something."""
        return self._event

    def poll(self) -> list[SeenFrame]:
        """The frames since the last call, oldest first; never blocks."""
        with self._lock:
            if readable(self._event):
                os.eventfd_read(self._event)
            found = list(self._frames)
            self._frames.clear()
        return found

    def lost(self) -> int:
        """Always 0: nothing is dropped on the way."""
        return 0

    def close(self) -> None:
        """Stop looking; safe to call again."""
        with self._lock:
            if self._event >= 0:
                os.close(self._event)
                self._event = -1


class SocketpairPort:
    """A datagram socketpair with the responder behind it. ``why`` says why this is not a tap."""

    real = False
    name = "socketpair"

    def __init__(self, recorder: Recorder | None = None, why: str = "") -> None:
        self.why = why
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ours.setblocking(False)
        if recorder:
            pair = f"[{self._ours.fileno()}, {self._theirs.fileno()}]"
            call = Syscall("socketpair", ["AF_UNIX", "SOCK_DGRAM", "0", pair], 0)
            recorder.emit(call, actor="control", frame=here())
        self._responder = ArpIcmpResponder(self._theirs)
        self._responder.start()

    def __enter__(self) -> SocketpairPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """Our end: one datagram is one frame with its virtio_net_hdr."""
        return self._ours.fileno()

    def read(self) -> bytes | None:
        """The next frame for the guest, virtio_net_hdr first; None when there is none."""
        try:
            return self._ours.recv(FRAME_MAX)
        except BlockingIOError:
            return None

    def write(self, data: bytes) -> int:
        """Send a frame of the guest, virtio_net_hdr first. Raises OSError."""
        return self._ours.send(data)

    def pending(self) -> bool:
        """Whether a frame for the guest waits."""
        return readable(self._ours.fileno())

    def observe(self) -> QueueObserver:
        """A fresh observer at the peer, seeing frames from now on."""
        return self._responder.observe()

    def close(self) -> None:
        """End the responder and close both ends; safe to call again."""
        if self._responder.is_alive():
            self._theirs.shutdown(socket.SHUT_RDWR)
            self._responder.join()
        self._ours.close()
        self._theirs.close()
