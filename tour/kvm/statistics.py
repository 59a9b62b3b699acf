"""What KVM counts of a virtual processor, read from its statistics file (Documentation/virt/kvm/api.rst, 4.133)."""

from __future__ import annotations

import fcntl
import os
import struct
from typing import Self

from tour.abi.kvm import STATS_DESC, STATS_HEADER, KvmIoctl


class Statistics:
    """Counters by KVM's names (``exits``, ``io_exits``, ``halt_exits``, ``irq_injections``); none before Linux 5.14."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._places: dict[str, int] = {}
        if fd >= 0:
            self._describe()

    @classmethod
    def of(cls, cpu: int) -> Self:
        """Those of the virtual processor ``cpu``, nothing where the kernel has none."""
        try:
            return cls(fcntl.ioctl(cpu, KvmIoctl.KVM_GET_STATS_FD))
        except OSError:
            return cls(-1)

    def _describe(self) -> None:
        head = STATS_HEADER.unpack(os.pread(self._fd, STATS_HEADER.size, 0))
        step = STATS_DESC.size + head["name_size"]
        for number in range(head["num_desc"]):
            raw = os.pread(self._fd, step, head["desc_offset"] + number * step)
            name = raw[STATS_DESC.size :].split(b"\0")[0].decode()
            self._places[name] = head["data_offset"] + STATS_DESC.unpack(raw[: STATS_DESC.size])["offset"]

    def read(self) -> dict[str, int]:
        """All counters now."""
        return {name: struct.unpack("=Q", os.pread(self._fd, 8, at))[0] for name, at in self._places.items()}

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
        self._places = {}
