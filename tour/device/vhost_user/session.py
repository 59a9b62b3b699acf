"""One front end attached: its memory, its rings, what was negotiated; from its connection to its end.

``handle`` gives each message to its function in ``handlers`` and answers as the protocol has it. Whatever a front end
does ends at most its own session: ``close`` lets go of all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from msgspec.structs import replace

from tour.abi import vhost_user as abi
from tour.abi.names import Feature, word_of
from tour.abi.vhost_user import ProtocolFeature
from tour.device.contract import Backend, VhostDevice
from tour.device.vhost_user.memory import SharedLog, SharedMemory
from tour.device.vhost_user.ring import UserRing
from tour.errors import MessageError, MessageFault
from tour.trace.events import AnyPayload, Closed, Event, Features, Ioctl, Region
from tour.trace.recorder import Recorder

PROTOCOL = ProtocolFeature
OFFERED_PROTOCOL = (
    PROTOCOL.VHOST_USER_PROTOCOL_F_MQ,
    PROTOCOL.VHOST_USER_PROTOCOL_F_LOG_SHMFD,
    PROTOCOL.VHOST_USER_PROTOCOL_F_REPLY_ACK,
    PROTOCOL.VHOST_USER_PROTOCOL_F_BACKEND_REQ,
    PROTOCOL.VHOST_USER_PROTOCOL_F_RESET_DEVICE,
)
PROTOCOL_BIT = 1 << abi.PROTOCOL_FEATURES_BIT
HEADER_12 = word_of(Feature.VIRTIO_NET_F_MRG_RXBUF, Feature.VIRTIO_F_VERSION_1)
"""Either makes the ring's virtio_net_hdr 12 bytes instead of 10 [virtio v1.3 5.1.6.1]."""


class Ports(Protocol):
    """What the devices are attached to, a backend socket for each queue pair."""

    pairs: int
    offloads: int
    """The feature bits that this port makes true."""
    null: Backend

    def port(self, pair: int) -> Backend:
        """The backend socket of queue pair ``pair``."""

    def negotiated(self, features: int, header_len: int) -> None:
        """The driver acknowledged ``features``; ``header_len`` bytes of virtio_net_hdr travel with each frame."""

    def use(self, pair: int, on: bool) -> None:
        """Whether frames may be steered to queue pair ``pair``."""


class PairRecorder(Recorder):
    """Tells the events of queue pair ``pair`` to ``whole``, ring numbers as the socket has them."""

    def __init__(self, whole: Recorder, pair: int) -> None:
        super().__init__()
        self._whole = whole
        self._first = 2 * pair

    def emit(self, data: AnyPayload, **how: Any) -> Event:
        """See ``Recorder.emit``."""
        if isinstance(data, Ioctl) and isinstance(data.arg.get("index"), int):
            data = replace(data, arg={**data.arg, "index": data.arg["index"] + self._first})
        elif isinstance(queue := getattr(data, "queue", None), int):
            data = replace(data, queue=queue + self._first)
        return self._whole.emit(data, **how)


MakeDevice = Callable[[Recorder], VhostDevice]


class Session:
    """What one front end has told, and the devices that serve it. Everything here is the server's one thread's."""

    def __init__(self, ports: Ports, make_device: MakeDevice, recorder: Recorder) -> None:
        self.ports = ports
        self.recorder = recorder
        self.devices: list[VhostDevice] = []
        try:
            for pair in range(ports.pairs):
                self.devices.append(make_device(PairRecorder(recorder, pair) if pair else recorder))
        except BaseException:
            for device in self.devices:
                device.close()
            raise
        self.rings = [UserRing(i, self.devices[i // 2], recorder) for i in range(2 * ports.pairs)]
        self.owned = False
        self.acknowledged = 0
        self.protocol = 0
        self.memory: SharedMemory | None = None
        self.log: SharedLog | None = None
        self.requests = -1
        """The descriptor for messages of ours to the front end, -1 while there is none."""

    @property
    def offered(self) -> int:
        """The feature word: vhost's, what the port makes true, and the protocol's own bit."""
        # Bit 27 is between a front end and the kernel's vhost only; on this socket it would mean ANY_LAYOUT.
        vhost = self.devices[0].get_features() & ~Feature.VHOST_NET_F_VIRTIO_NET_HDR.mask
        several = Feature.VIRTIO_NET_F_MQ.mask if self.ports.pairs > 1 else 0
        return vhost | self.ports.offloads | several | PROTOCOL_BIT

    @property
    def protocol_offered(self) -> int:
        """The protocol feature word."""
        return sum(bit.mask for bit in OFFERED_PROTOCOL)

    def ring(self, index: int) -> UserRing:
        """Ring ``index`` of the socket. Raises MessageError(RING_INDEX)."""
        if not 0 <= index < len(self.rings):
            raise MessageError(MessageFault.RING_INDEX, index)
        return self.rings[index]

    def acknowledge(self, features: int) -> None:
        """The driver's feature word. Raises MessageError(FEATURES), OSError."""
        if features & ~self.offered:
            raise MessageError(MessageFault.FEATURES, features & ~self.offered)
        with self.parked():
            for device in self.devices:
                device.set_features(features & device.get_features())
            self.acknowledged = features
            self.ports.negotiated(features, 12 if features & HEADER_12 else 10)
        self.recorder.emit(Features("device", self.offered & ~PROTOCOL_BIT), actor="control")
        self.recorder.emit(Features("driver", features & ~PROTOCOL_BIT), actor="control")

    def own(self) -> None:
        """SET_OWNER: from now on rings may be set up. Told twice is told once."""
        if not self.owned:
            for device in self.devices:
                device.set_owner()
        self.owned = True

    def remember(self, memory: SharedMemory) -> None:
        """Guest memory is ``memory`` now; what was before is unmapped when no ring can reach it any more."""
        before = self.memory
        try:
            with self.parked():
                for device in self.devices:
                    device.set_mem_table(memory.table)
                self.memory = memory
                self._tell_regions(before, memory)
                for ring in self.rings:
                    ring.move(memory)
        finally:
            if before and self.memory is memory:
                before.close()

    def _tell_regions(self, before: SharedMemory | None, now: SharedMemory | None) -> None:
        """What is mapped here now; a region that is no more is told with size 0."""
        regions = now.regions if now else []
        for index, (told, hva) in enumerate(regions):
            self.recorder.emit(Region(index, told.gpa, told.size, hva, -1, told.offset), actor="control")
        for index in range(len(regions), len(before.regions) if before else 0):
            self.recorder.emit(Region(index, 0, 0, 0, -1, 0), actor="control")

    def note_in(self, log: SharedLog) -> None:
        """The dirty log is ``log`` now."""
        before = self.log
        with self.parked():
            for device in self.devices:
                device.set_log_base(log)
            self.log = log
        if before:
            before.close()

    @contextlib.contextmanager
    def parked(self) -> Iterator[None]:
        """No ring is worked on inside; afterwards those go on that still can, from where they were."""
        for ring in self.rings:
            ring.detach()
        try:
            yield
        finally:
            for ring in self.rings:
                with contextlib.suppress(MessageError, OSError):
                    self.settle(ring)

    def settle(self, ring: UserRing) -> None:
        """Start, stop or move ``ring`` as all that was told of it asks. Raises MessageError, OSError when it cannot
        start; it is BROKEN then."""
        pair = ring.index // 2
        by_default = not self.acknowledged & PROTOCOL_BIT
        want = ring.want(self.ports.port(pair), self.ports.null, by_default=by_default)
        if want is ring.port:
            return
        ring.detach()
        if want is not None and want is not self.ports.null:
            self.ports.use(pair, True)
        if want is not None:
            ring.attach(want, self.memory)
        self._rest(pair)

    def _rest(self, pair: int) -> None:
        """Nobody works on the pair's own port: no frames are to be steered there."""
        real = self.ports.port(pair)
        if all(ring.port is not real for ring in self.rings[2 * pair : 2 * pair + 2]):
            self.ports.use(pair, False)

    def stop(self, ring: UserRing) -> int:
        """GET_VRING_BASE: stop it and say where to go on."""
        base = ring.stop()
        self._rest(ring.index // 2)
        return base

    def keep_requests(self, fd: int) -> None:
        """The descriptor for messages of ours; -1 for none."""
        before, self.requests = self.requests, fd
        if before >= 0:
            os.close(before)

    def reset(self) -> None:
        """All rings stopped and disabled, as before anything was told of them; memory and what was negotiated stay."""
        for ring in self.rings:
            ring.detach()
            ring.kicked, ring.enabled = False, False
            self._rest(ring.index // 2)

    def close(self) -> None:
        """Stop all, unmap and close all. May be called twice."""
        for ring in self.rings:
            ring.port = None
            ring.close()
        for device in self.devices:
            device.close()
        self.recorder.emit(Closed(self.devices[0].kind), actor="control")
        for pair in range(self.ports.pairs):
            # A tap may have been deleted from outside.
            with contextlib.suppress(OSError):
                self.ports.use(pair, False)
        self.keep_requests(-1)
        self._tell_regions(self.memory, None)
        for held in (self.memory, self.log):
            if held:
                held.close()
        self.memory = self.log = None
