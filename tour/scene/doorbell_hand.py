"""A hand on the doorbells: a kick or a call that is lost, comes twice, or comes late.

A kick is handled where the driver writes it. A call is the device's: so that it can be handled on its way, the device
is given another eventfd with SET_VRING_CALL, and what it wrote there is passed on, or not.
"""

from __future__ import annotations

import contextlib
import os

from tour.device.contract import RX, TX
from tour.device.observer import eventfd_count
from tour.scene.nic import Nic
from tour.scene.refused import Refused
from tour.trace import events as ev

Doorbell = tuple[str, int]
"""kick or call, and of which queue."""


class DoorbellHand:
    """``how`` it is with each doorbell: normal, drop, twice or late."""

    def __init__(self, nic: Nic) -> None:
        self.nic = nic
        self.how: dict[Doorbell, str] = {(bell, queue): "normal" for bell in ("kick", "call") for queue in (RX, TX)}
        self.kept: dict[int, int] = {RX: 0, TX: 0}
        """Kicks held back, by queue."""
        self._between: dict[int, int] = {}

    def set(self, bell: str, queue: int, how: str) -> None:
        """From now on signals of that doorbell go ``how``. Raises OSError from the device."""
        before, self.how[bell, queue] = self.how[bell, queue], how
        if bell == "call" and before != how:
            fd = {"normal": self.nic.bells[queue].fds["call"], "drop": -1}.get(how)
            self.nic.device.set_vring_call(queue, self._middle(queue) if fd is None else fd)

    def _middle(self, queue: int) -> int:
        """The eventfd between the device and the driver's, made once."""
        if queue not in self._between:
            fd = self._between[queue] = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self.nic.stack.callback(os.close, fd)
            self.nic.recorder.emit(ev.Syscall("eventfd2", ["0", "EFD_CLOEXEC|EFD_NONBLOCK"], fd), actor="control")
        return self._between[queue]

    def kick(self, queue: int) -> None:
        """The driver rings; what arrives is another matter."""
        how = self.how["kick", queue]
        if how in ("drop", "late"):
            self.kept[queue] += how == "late"
            self._tell(f"kick_{how}", queue)
            return
        for _ in range(2 if how == "twice" else 1):
            self.nic.bells[queue].kick()

    def call(self, queue: int) -> bool:
        """The device in the learner's hand rings; False when nothing arrives."""
        how = self.how["call", queue]
        if how == "late":
            os.eventfd_write(self._middle(queue), 1)
        if how in ("drop", "late"):
            self._tell(f"call_{how}", queue)
            return False
        for _ in range(2 if how == "twice" else 1):
            self.nic.bells[queue].call()
        return True

    def pass_calls(self) -> None:
        """Calls that come twice; then what the driver's own eventfds really hold."""
        for (bell, queue), how in self.how.items():
            if bell == "call" and how in ("twice", "late"):
                if how == "twice":
                    self._pass(queue, 2)
                self._look(queue)

    def deliver(self, bell: str, queue: int) -> None:
        """What is held back arrives now. Raises Refused when nothing is."""
        if bell == "kick":
            count, self.kept[queue] = self.kept[queue], 0
            for _ in range(count):
                self.nic.bells[queue].kick()
        else:
            count = self._pass(queue, 1)
        if not count:
            raise Refused("nothing_kept", bell=bell)

    def _pass(self, queue: int, times: int) -> int:
        """Read the eventfd between and write the driver's; returns how much was read."""
        value = 0
        with contextlib.suppress(BlockingIOError, KeyError):
            value = os.eventfd_read(self._between[queue])
        if value:
            os.eventfd_write(self.nic.bells[queue].fds["call"], value * times)
            self._look(queue)
        return value

    def _look(self, queue: int) -> None:
        """Tell the counter of the driver's call eventfd."""
        fd = self.nic.bells[queue].fds["call"]
        count = ev.Count(queue, "call", fd, eventfd_count(fd))
        self.nic.recorder.emit(count, actor="control", source="observer")

    def _tell(self, key: str, queue: int) -> None:
        self.nic.recorder.emit(ev.Note(f"sandbox.{key}", {"queue": ("RX", "TX")[queue]}), actor="tour")
