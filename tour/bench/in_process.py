"""Rows in one process: our driver and our engine, against bare loops on the tap."""

from __future__ import annotations

import array
import errno
import os
import time
from contextlib import ExitStack

from tour.abi import native
from tour.bench.ground import QUEUE, SMALL, Cpu, Loop, Source, cores, header, on_core, own_tap, tcp_frame
from tour.bench.report import percentile
from tour.device.contract import RX, TX, Backend
from tour.device.embedded import EmbeddedDevice
from tour.errors import CapabilityMissing, TimedOut
from tour.net.null import NullPort
from tour.net.tap import TapPort
from tour.scene.packets import PacketIO

FRAMES = 1 << 16
"""Frames a round."""
BURST = 256
NUM = 1024
PATIENCE = 20.0
_STRIDE, _BUFFERS = 2112, 256  # VT_LOOP_STRIDE, VT_LOOP_BATCH of csrc/loops.h


class Stand:
    """Our engine on ``port`` and a driver for it, both on one core, as a bare loop is; ``apart``: a core for each.

    Each sleeps while the other has all the work, and nothing depends on how far apart two cores are.
    """

    def __init__(self, stack: ExitStack, port: Backend, *, apart: bool = False, io_uring: bool = True) -> None:
        self.device_core, self.driver_core = cores()
        if not apart:
            self.driver_core = self.device_core
        with on_core(self.device_core):
            self.device = EmbeddedDevice(gear="engine", io_uring=io_uring)
            stack.callback(self.device.close)
            self.packets = stack.enter_context(PacketIO(self.device, port, num=NUM))

    def send(self, frames: object, length: int, count: int, headers: object = None) -> tuple[float, float]:
        """Send ``frames`` (all of ``length`` bytes) again and again until ``count`` are through; (packets, seconds)."""
        tx, sent = self.packets.tx, 0
        with on_core(self.driver_core):
            begun = time.monotonic()
            while sent < count:
                taken = tx.send(frames, length, headers)
                sent += taken
                if not taken:
                    self.wait(NUM * 3 // 4)
            while left := tx.counts()["outstanding"]:
                self.wait(left)
                tx.reap()
            return sent, time.monotonic() - begun

    def wait(self, count: int) -> None:
        """Until ``count`` packets more are sent. Raises TimedOut."""
        if not self.packets.wait_sent(min(count, self.packets.tx.counts()["outstanding"]), PATIENCE):
            raise TimedOut("The device did not use what the bench sent.")

    def notifications(self) -> dict[str, float]:
        """Kicks and calls for each 1000 packets sent so far."""
        counts, told = self.device.counters(TX), self.packets.tx.counts()
        thousands = max(1, told["packets"]) / 1000
        return {"kicks": told["kicks"] / thousands, "calls": (counts.calls or 0) / thousands}


class _OnTap:
    """What rows on a tap share."""

    IO_URING = True

    def __init__(self) -> None:
        self.stack = ExitStack()
        try:
            self.tap: TapPort = self.stack.enter_context(own_tap())
            self.stand = Stand(self.stack, self.tap, io_uring=self.IO_URING)
        except BaseException:
            self.stack.close()
            raise
        self.cpu, self.loop = Cpu(), Loop()
        self.probe = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.stack.callback(os.close, self.probe)

    def more(self) -> dict[str, float]:
        """CPU and notifications for each packet."""
        return self.cpu.told() | self.stand.notifications()

    def close(self) -> None:
        """Take all down."""
        self.stack.close()


class TxTap(_OnTap):
    """64-byte frames into a tap, against io_uring writes of the same frame, 64 a system call."""

    peer_name = "io_uring, 64 writes a call"

    def __init__(self) -> None:
        super().__init__()
        self.burst = SMALL * BURST
        self.one = native.view(bytearray(12) + SMALL, True)

    def ours(self) -> float:
        """Packets a second."""
        return self.cpu.measure("ours", lambda: self.stand.send(self.burst, len(SMALL), FRAMES))

    def peer(self) -> float:
        """Packets a second."""
        with on_core(self.stand.device_core):
            return self.cpu.measure("peer", lambda: self.loop.run(self._bare))

    def _bare(self, told: object) -> int:
        fd, size = self.tap.fileno(), len(self.one)
        result = native.lib().vt_loop_uring(fd, 0, self.one, size, self.probe, FRAMES, told)
        return _need_uring(result)


class TxTapWrite(TxTap):
    """The same with one system call a frame, as where io_uring cannot be used, against write()."""

    peer_name = "write()"
    IO_URING = False

    def _bare(self, told: object) -> int:
        return native.lib().vt_loop_write(self.tap.fileno(), self.one, len(self.one), FRAMES, told)


class RxTap(_OnTap):
    """A tap's full queue into the ring and out to the caller, against read() of the same."""

    peer_name = "read()"

    def __init__(self) -> None:
        super().__init__()
        self.source = Source(self.tap.name)
        self.stack.callback(self.source.sock.close)
        self.lengths = array.array("I", bytes(4 * BURST))
        self.into = bytearray(len(SMALL) * BURST)
        self.buffers = native.view(bytearray(_STRIDE * _BUFFERS), True)
        self.stand.device.hold(RX, True)

    def ours(self) -> float:
        """Packets a second."""
        count = self.source.fill(QUEUE)
        return self.cpu.measure("ours", lambda: self._receive(count))

    def _receive(self, count: int) -> tuple[float, float]:
        got, packets = 0, self.stand.packets
        with on_core(self.stand.driver_core):
            begun = time.monotonic()
            self.stand.device.hold(RX, False)
            while got < count:
                taken = packets.recv(self.into, self.lengths)
                got += taken
                if not taken and not packets.wait_received(PATIENCE, min(count - got, NUM // 4)):
                    raise TimedOut("The device did not deliver what the bench sent.")
            seconds = time.monotonic() - begun
        self.stand.device.hold(RX, True)
        return got, seconds

    def peer(self) -> float:
        """Packets a second."""
        self.source.fill(QUEUE)
        with on_core(self.stand.device_core):
            return self.cpu.measure("peer", lambda: self.loop.run(self._bare))

    def _bare(self, told: object) -> int:
        return native.lib().vt_loop_read(self.tap.fileno(), self.buffers, QUEUE, told)

    def more(self) -> dict[str, float]:
        """CPU for each packet."""
        return self.cpu.told()


class RxTapUring(RxTap):
    """The same against io_uring reads, 64 a system call."""

    peer_name = "io_uring, 64 reads a call"

    def _bare(self, told: object) -> int:
        lib = native.lib()
        return _need_uring(lib.vt_loop_uring(self.tap.fileno(), 1, self.buffers, 0, self.probe, QUEUE, told))


class RingOnly:
    """Descriptors through the ring alone: the driver writes every payload, the device reads it, no port behind."""

    peer_name = ""
    FRAMES = 1 << 20
    APART = False

    def __init__(self) -> None:
        self.stack, self.cpu = ExitStack(), Cpu()
        self.stand = Stand(self.stack, NullPort(), apart=self.APART)
        self.burst = SMALL * 1024

    def ours(self) -> float:
        """Descriptors a second."""
        return self.cpu.measure("ours", lambda: self.stand.send(self.burst, len(SMALL), self.FRAMES))

    def peer(self) -> float:
        """There is none."""
        raise NotImplementedError

    def more(self) -> dict[str, float]:
        """CPU and notifications for each packet."""
        return self.cpu.told() | self.stand.notifications()

    def close(self) -> None:
        """Take all down."""
        self.stack.close()


class Latency(RingOnly):
    """From before the kick to after the call, both sides asleep in between: microseconds, the median of a round."""

    COUNT = 2000
    APART = True

    def __init__(self) -> None:
        super().__init__()
        self.all: list[int] = []

    def ours(self) -> float:
        """Microseconds."""
        took = array.array("Q", bytes(8 * self.COUNT))
        tx, call = self.stand.packets.tx, self.stand.packets.calls[TX]
        with on_core(self.stand.driver_core):
            tx.ping(call, SMALL, took)
        self.all += took
        return percentile(took, 0.5) / 1000

    def more(self) -> dict[str, float]:
        """Percentiles of all rounds."""
        return {f"p{share * 100:g}": percentile(self.all, share) / 1000 for share in (0.5, 0.9, 0.99, 0.999)}


class Offload(_OnTap):
    """TCP into a tap in chains of 64 KiB, the network's work left to the tap, against frames of 1514 bytes."""

    peer_name = "the same without offloads"
    LARGE, PLAIN, BYTES = 65226, 1514, 1 << 29

    def __init__(self) -> None:
        super().__init__()
        self.large, self.plain = tcp_frame(self.LARGE) * 4, tcp_frame(self.PLAIN) * BURST
        self.large_headers, self.plain_headers = header(self.LARGE) * 4, header(self.PLAIN) * BURST

    def ours(self) -> float:
        """Gb/s of frames."""
        return self._send("ours", self.large, self.LARGE, self.large_headers)

    def peer(self) -> float:
        """Gb/s of frames."""
        return self._send("peer", self.plain, self.PLAIN, self.plain_headers)

    def _send(self, side: str, frames: bytes, size: int, headers: bytes) -> float:
        count = self.BYTES // size
        return self.cpu.measure(side, lambda: self.stand.send(frames, size, count, headers)) * size * 8 / 1e9


def _need_uring(result: int) -> int:
    if result == -errno.ENOSYS:
        raise CapabilityMissing(
            "io_uring", "This kernel has no io_uring, or forbids it.", "", "sudo sysctl -w kernel.io_uring_disabled=0"
        )
    return result
