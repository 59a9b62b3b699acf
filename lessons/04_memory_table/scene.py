"""Lesson 4, the memory table: guest memory mapped, told to vhost, looked up, told wrongly and told again."""

from tour.memory.table import MemoryTable, Region
from tour.scene.nic import HIGH, LOW, Nic
from tour.virtqueue.net_header import NetHeader

IN_HIGH = HIGH.gpa + 0x10
IN_HOLE = 0x30000
ACROSS = LOW.gpa + LOW.size - 0x10
LENGTH = len(NetHeader().pack()) + 42
"""What an ARP request takes with its virtio_net_hdr."""
NOT_MAPPED = 0x10000
"""An address a process may have, and ours has nothing there."""


def low(nic: Nic) -> None:
    """The first region: a memfd, mapped shared."""
    nic.map_region(LOW)


def high(nic: Nic) -> None:
    """The second region, with a hole before it."""
    nic.map_region(HIGH)


def table(nic: Nic) -> None:
    """Tell vhost where both lie."""
    nic.device.set_mem_table(nic.memory.table)


def translate(nic: Nic) -> None:
    """A guest range inside the second region."""
    nic.translate(IN_HIGH, LENGTH)


def hole(nic: Nic) -> None:
    """A guest range that no region has."""
    nic.translate(IN_HOLE, LENGTH)


def hole_edge(nic: Nic) -> None:
    """A guest range that begins in the first region and ends in the hole."""
    nic.translate(ACROSS, LENGTH)


def empty(nic: Nic) -> str:
    """A table of one region of size 0."""
    wrong = MemoryTable([Region(HIGH.gpa, 0, _hva(nic, 1))])
    return nic.attempt(nic.device.set_mem_table, wrong)


def empty_zero(nic: Nic) -> str:
    """The same at GPA 0."""
    wrong = MemoryTable([Region(0, 0, _hva(nic, 0))])
    return nic.attempt(nic.device.set_mem_table, wrong)


def unmapped(nic: Nic) -> str:
    """A table of one region, at an HVA where nothing is mapped."""
    wrong = MemoryTable([Region(LOW.gpa, LOW.size, NOT_MAPPED)])
    return nic.attempt(nic.device.set_mem_table, wrong)


def unmapped_overlap(nic: Nic) -> str:
    """Two regions that share 64 KiB of guest addresses, both of them mapped."""
    rows = [Region(LOW.gpa, LOW.size, _hva(nic, 0)), Region(LOW.gpa + LOW.size // 2, LOW.size, _hva(nic, 1))]
    wrong = MemoryTable(rows)
    return nic.attempt(nic.device.set_mem_table, wrong)


def replace(nic: Nic) -> None:
    """The right table once more."""
    nic.device.set_mem_table(nic.memory.table)


def _hva(nic: Nic, number: int) -> int:
    return nic.memory.regions[number].hva
