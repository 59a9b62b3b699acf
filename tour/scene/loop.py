"""A device in user space: one thread that sleeps in epoll_wait, and moves each frame with system calls of its own.

What QEMU's main loop does for virtio-net where vhost is off, at its barest: hw/net/virtio-net.c virtio_net_flush_tx()
and net/tap.c tap_send() of QEMU 7.2. Every system call that it makes as a device is told.
"""

from __future__ import annotations

import os
import select
import struct
import threading
import time

from tour.device.contract import RX, TX
from tour.device.observer import eventfd_count
from tour.errors import TimedOut
from tour.net.file import FRAME_MAX
from tour.net.frames import NET_HDR_LEN
from tour.scene.negotiate import FEATURES
from tour.scene.nic import SETTLE_SECONDS, Nic
from tour.trace import events as ev
from tour.trace.recorder import here
from tour.virtqueue.chain import Chain
from tour.virtqueue.device import DeviceQueue

NUM_BUFFERS = struct.pack("<H", 1)
NUM_BUFFERS_AT = 10
"""With MRG_RXBUF the device says in how many buffers a packet lies [virtio v1.3 5.1.6.4]."""
LOOK_SECONDS = 0.001


class Loop:
    """Serves both rings of ``nic``, going on from the available entries ``bases``, until it is closed.

    It looks at the tap only once ``watch_tap`` was called: so a step can end between a frame's leaving and the
    reply's arrival. While it acts it holds the Nic's baton.
    """

    def __init__(self, nic: Nic, bases: dict[int, int]) -> None:
        self.nic = nic
        self.recorder = nic.recorder
        table = nic.memory.table
        self.queues = {index: DeviceQueue(nic.rings[index], table, FEATURES) for index in (RX, TX)}
        for index, queue in self.queues.items():
            queue.attach(bases[index])
        self._epoll = select.epoll()
        self._end = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._kicks = {nic.bells[index].fds["kick"]: index for index in (RX, TX)}
        for fd in (self._end, *self._kicks):
            self._epoll.register(fd, select.EPOLLIN)
        self._epoll.register(nic.port.fileno(), 0)
        self._asleep = False
        self._wakes = 0
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._thread.start()
        nic.stack.callback(self.close)

    # --- for the scene ---

    def watch_tap(self) -> None:
        """From now on a frame that waits at the tap wakes the loop too."""
        fd = self.nic.port.fileno()
        self._epoll.modify(fd, select.EPOLLIN)
        call = ev.Syscall("epoll_ctl", [str(self._epoll.fileno()), "EPOLL_CTL_MOD", str(fd), "EPOLLIN"], 0)
        self.recorder.emit(call, actor="control", frame=here(), above="self._epoll.modify")

    def settle(self) -> str:
        """Wait until the loop sleeps again and nothing is there that would wake it. Raises TimedOut."""
        end = time.monotonic() + SETTLE_SECONDS
        while not self._idle():
            if time.monotonic() > end:
                raise TimedOut(f"The loop was still at work after {SETTLE_SECONDS:g} seconds.")
            time.sleep(LOOK_SECONDS)
        if self.nic.traffic is not None:
            self.nic.traffic.look()
        return "quiescent"

    def close(self) -> dict[int, int]:
        """End the thread; returns the next available entry of each ring. May be called again."""
        if self._thread.is_alive():
            os.eventfd_write(self._end, 1)
            self._thread.join()
            self._epoll.close()
            os.close(self._end)
        return {index: queue.last_avail_idx for index, queue in self.queues.items()}

    def _idle(self) -> bool:
        """The descriptors stay ready until the loop has read them, so none is between sleep and work unseen."""
        wakes = self._wakes
        poll = select.poll()
        poll.register(self._epoll.fileno(), select.POLLIN)
        return self._asleep and not poll.poll(0) and self._asleep and wakes == self._wakes

    # --- the thread ---

    def _run(self) -> None:
        while True:
            self._asleep = True
            ready = [fd for fd, _ in self._epoll.poll()]
            self._wakes += 1
            self._asleep = False
            if self._end in ready:
                return
            with self.nic.baton:
                self._told("epoll_wait", [str(self._epoll.fileno()), f"{{fd {ready[0]}}}"], len(ready), above="poll(")
                for fd in ready:
                    self._serve(fd)

    def _serve(self, fd: int) -> None:
        """One descriptor that is ready: a doorbell, or the tap."""
        index = self._kicks.get(fd, RX)
        if fd in self._kicks:
            os.eventfd_read(fd)
            self._told("read", [str(fd), "8"], 8, above="eventfd_read")
            count = ev.Count(index, "kick", fd, eventfd_count(fd))
            self.recorder.emit(count, actor="device", source="observer")
        if index == TX:
            self._send_all()
        elif fd not in self._kicks:
            self._receive_all()

    def _send_all(self) -> None:
        """As virtio_net_flush_tx() does: pop, send, and give back, chain by chain; then one call (QEMU: after each)."""
        queue = self.queues[TX]
        done = 0
        while (chain := queue.pop()) is not None:
            queue.map(chain)
            self._send(chain)
            queue.fill(chain.head, 0)
            queue.flush()
            done += 1
        self._call(TX, done)

    def _send(self, chain: Chain) -> None:
        """One writev(2) straight out of guest memory: the kernel copies the bytes, and nobody else."""
        pieces = [self.nic.memory.view(buffer.gpa, buffer.len) for buffer in chain.readable]
        data = b"".join(bytes(piece) for piece in pieces)
        result = os.writev(self.nic.port.fileno(), pieces)
        self._told("writev", [str(self.nic.port.fileno()), f"{len(pieces)}"], result, above="os.writev")
        for piece in pieces:
            piece.release()
        self._saw("out", "send", data, above="os.writev")

    def _receive_all(self) -> None:
        """As tap_send() does: read frames until there is none, each into memory of our own first; then one call."""
        queue = self.queues[RX]
        done = 0
        while queue.waiting():
            data = self._read()
            if data is None:
                break
            chain = queue.pop()
            if chain is None:
                break
            self._saw("in", "receive", data, above="self._read()")
            queue.map(chain)
            self._deliver(chain, data)
            queue.fill(chain.head, len(data))
            queue.flush()
            done += 1
        self._call(RX, done)

    def _read(self) -> bytes | None:
        """One read(2) of the tap: the kernel copies a frame into memory of ours. None when there is none."""
        fd = self.nic.port.fileno()
        try:
            data = os.read(fd, FRAME_MAX)
        except BlockingIOError:
            self._told("read", [str(fd), f"{FRAME_MAX}"], -1, "EAGAIN", above="os.read")
            return None
        self._told("read", [str(fd), f"{FRAME_MAX}"], len(data), above="os.read")
        return data

    def _deliver(self, chain: Chain, data: bytes) -> None:
        """And the second copy, by our own hand: into the buffer that the driver offered."""
        header = data[:NUM_BUFFERS_AT] + NUM_BUFFERS
        gpa = chain.writable[0].gpa
        for at, part, what in ((0, header, "net_hdr"), (NET_HDR_LEN, data[NET_HDR_LEN:], "frame")):
            before = self.nic.memory.read(gpa + at, len(part))
            self.nic.memory.write(gpa + at, part)
            wrote = ev.Write(RX, gpa + at, before.hex(), part.hex(), what)
            self.recorder.emit(wrote, actor="device", frame=here(), above="memory.write")

    def _call(self, index: int, done: int) -> None:
        """The driver's doorbell, if anything was done and the driver wants to be told."""
        if not done or not self.queues[index].needs_call():
            return
        fd = self.nic.bells[index].fds["call"]
        os.eventfd_write(fd, 1)
        self._told("write", [str(fd), "1"], 8, above="eventfd_write")
        self.recorder.emit(ev.Call(index, fd, eventfd_count(fd)), actor="device")

    # --- telling ---

    def _told(self, name: str, args: list[str], result: int, errno: str | None = None, above: str = "") -> None:
        self.recorder.emit(ev.Syscall(name, args, result, errno), actor="device", frame=here(2), above=above)

    def _saw(self, direction: str, verb: str, data: bytes, above: str) -> None:
        header, frame = data[:NET_HDR_LEN], data[NET_HDR_LEN:]
        index = TX if direction == "out" else RX
        packet = ev.Packet(direction, "port", frame.hex(), header.hex(), index)
        self.recorder.emit(packet, actor="device", frame=here(2), above=above)
        self.recorder.emit(ev.Action(verb, index, {"len": len(frame)}), actor="device", frame=here(2), above=above)
