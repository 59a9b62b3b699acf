"""One ring of a front end: what it told of it, and when the device may work on it.

A ring has three states: stopped; started but disabled (what is sent is consumed and discarded, nothing is
received); started and enabled [vhost-user, QEMU docs/interop/vhost-user.rst@7.2, Ring states]. It starts once its
kick descriptor is told, as QEMU's own library does: a driver that was silenced need not ring first.
"""

from __future__ import annotations

from dataclasses import dataclass

from tour.device.contract import RX, Backend, RingAddresses, VhostDevice
from tour.device.embedded.files import Doorbell
from tour.device.vhost_user.memory import SharedMemory
from tour.errors import MessageError, MessageFault
from tour.trace.events import Broken, RingPlace
from tour.trace.recorder import Recorder
from tour.virtqueue.layout import RingLayout


@dataclass(frozen=True)
class UserAddresses:
    """Where the ring's parts lie in the front end's own address space, and how its used ring is logged."""

    desc: int
    avail: int
    used: int
    log_gpa: int
    flags: int


class UserRing:
    """Ring ``index`` of the socket: ring ``index % 2`` of ``device``, which it alone starts and stops."""

    def __init__(self, index: int, device: VhostDevice, recorder: Recorder) -> None:
        self.index = index
        self.local = index % 2
        self.device = device
        self.recorder = recorder
        self.num = 0
        self.told: UserAddresses | None = None
        self.where: RingAddresses | None = None
        self.kicked = False
        self.enabled: bool | None = None
        """What SET_VRING_ENABLE said last, None before it said anything."""
        self.port: Backend | None = None
        """What it is attached to."""
        self._err: Doorbell | None = None

    @property
    def running(self) -> bool:
        """Whether the device works on it."""
        return self.port is not None

    def set_err(self, fd: int) -> None:
        """Whom to ring when the driver broke a rule, or when the ring is broken by what was told of it; -1 nobody."""
        self.device.set_vring_err(self.local, fd)
        self.close()
        self._err = Doorbell(fd, pipes=True) if fd >= 0 else None

    def close(self) -> None:
        """Let go of the err doorbell. May be called twice."""
        if self._err:
            self._err.close()
        self._err = None

    def need_stopped(self) -> None:
        """Raise MessageError(RUNNING) while it runs."""
        if self.running:
            raise MessageError(MessageFault.RUNNING, self.index)

    def set_num(self, num: int) -> None:
        """Its size. Raises MessageError, OSError as the device has it."""
        self.need_stopped()
        self.device.set_vring_num(self.local, num)
        self.num = num
        self.where = None

    def place(self, told: UserAddresses, memory: SharedMemory | None) -> None:
        """Where its parts lie. Raises MessageError, OSError; then it is where it was."""
        if memory is None:
            raise MessageError(MessageFault.NO_MEMORY)
        where = self._translate(told, memory)
        self.device.set_vring_addr(self.local, where)
        self.told, self.where = told, where

    def _translate(self, told: UserAddresses, memory: SharedMemory) -> RingAddresses:
        """Raises MessageError(RING_ADDRESS) unless each part lies whole inside one region."""
        size = RingLayout(self.num or 1, 0, 0, 0)
        return RingAddresses(
            memory.to_hva(told.desc, size.desc_size),
            memory.to_hva(told.avail, size.avail_size),
            memory.to_hva(told.used, size.used_size),
            # Without the flag the number means nothing: user-mode Linux sends -1.
            told.log_gpa if told.flags else 0,
            told.flags,
        )

    def move(self, memory: SharedMemory) -> None:
        """Guest memory is another now: find the parts anew. A ring that is no longer there is stopped for good."""
        if self.told is None:
            return
        try:
            self.place(self.told, memory)
        except (MessageError, OSError) as error:
            self.where = None
            self._broken(error)

    def want(self, real: Backend, null: Backend, *, by_default: bool) -> Backend | None:
        """What it should be attached to now; ``by_default`` is whether it is enabled without being told."""
        if not self.kicked or not self.num or self.told is None:
            return None
        enabled = by_default if self.enabled is None else self.enabled
        if enabled:
            return real
        return None if self.local == RX else null

    def attach(self, port: Backend, memory: SharedMemory | None) -> None:
        """Start it on ``port``. One that cannot start is BROKEN until it is told anew."""
        try:
            if self.where is None and self.told is not None:
                self.place(self.told, memory)
            if self.where is None or memory is None:
                raise MessageError(MessageFault.NO_MEMORY)
            self._announce(self.where, memory)
            self.device.start(self.local, port)
            self.port = port
        except (MessageError, OSError) as error:
            self._broken(error)
            raise

    def detach(self) -> None:
        """Take it off its port; where it was is kept by the device."""
        if self.port is not None:
            self.port = None
            self.device.net_set_backend(self.local, -1)

    def stop(self) -> int:
        """Stop it (GET_VRING_BASE): the index to go on from. It starts again with its next kick descriptor."""
        self.kicked = False
        self.detach()
        self.device.set_vring_kick(self.local, -1)
        return self.device.get_vring_base(self.local)

    def _announce(self, where: RingAddresses, memory: SharedMemory) -> None:
        size = RingLayout(self.num, 0, 0, 0)
        gpas = (
            memory.table.to_gpa(where.desc, size.desc_size),
            memory.table.to_gpa(where.avail, size.avail_size),
            memory.table.to_gpa(where.used, size.used_size),
        )
        self.recorder.emit(RingPlace(self.index, self.num, *gpas), actor="control")

    def _broken(self, error: MessageError | OSError) -> None:
        self.kicked = False
        if self._err:
            self._err.ring()
        reason = (error.fault if isinstance(error, MessageError) else MessageFault.RING_START).value
        self.recorder.emit(Broken(self.index, reason, "quarantine"), actor="device")
