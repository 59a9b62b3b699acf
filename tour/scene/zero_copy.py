"""vhost's zero-copy transmit, as the kernel itself tells of it: the switch, and its own report on each frame.

The switch is a parameter of the module vhost_net, read only once it is loaded. The report is the argument ``success``
with which the network stack gives a lent buffer back, seen by a kprobe: only in the lab, whose kernel is our own.
Source: experimental_zcopytx, vhost_zerocopy_callback() (6.1), vhost_zerocopy_complete() (6.12), drivers/vhost/net.c.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import subprocess
from pathlib import Path

from tour.abi.libc import LAYERS_ENV, mount, umount

SWITCH = Path("/sys/module/vhost_net/parameters/experimental_zcopytx")
TRACING = Path("/sys/kernel/tracing")
GIVEN_BACK = ("vhost_zerocopy_complete", "vhost_zerocopy_callback")
"""The function's name on 6.12 and newer, and on 6.1; its third argument is ``success`` in both."""
LAB = Path("/run/tour")
PROBE = "tour_zero_copy"


def switch() -> str:
    """``1`` or ``0`` as the kernel shows the parameter, empty where there is no such module."""
    try:
        return SWITCH.read_text().strip()
    except OSError:
        return ""


def load_anew(zero_copy: bool) -> bool:
    """Load vhost_net again with the switch on or off, where the machine is the lab's. Nobody may have it open. Returns
    whether that was done."""
    module, wanted = LAB / "vhost_net.ko", str(int(zero_copy))
    if not _in_lab() or not module.is_file():
        return False
    for words in (["rmmod", "vhost_net"], ["insmod", str(module), f"experimental_zcopytx={wanted}"]):
        if subprocess.run([str(LAB / "busybox"), *words], capture_output=True, check=False).returncode:
            return False
    return switch() == wanted


def _in_lab() -> bool:
    return "vm" in os.environ.get(LAYERS_ENV, "").split(",")


class Reports:
    """What the kernel says of each buffer lent to the network stack, from construction to ``close``.

    ``possible`` is False where it is not asked: outside the lab (nobody else's kernel is probed), without kprobes, on
    another processor than x86-64.
    """

    def __init__(self) -> None:
        self._mounted = False
        self.possible = _in_lab() and platform.machine() == "x86_64" and self._begin()

    def _begin(self) -> bool:
        with contextlib.suppress(OSError):
            if not (TRACING / "kprobe_events").exists():
                mount("tracefs", str(TRACING), "tracefs")
                self._mounted = True
            name = next((name for name in GIVEN_BACK if name in Path("/proc/kallsyms").read_text()), "")
            if not name:
                return False
            _append("kprobe_events", f"p:{PROBE} {name} success=%dx:u8")
            _append(f"events/kprobes/{PROBE}/enable", "1")
            return True
        return False

    def success(self) -> list[bool]:
        """One for each buffer given back since the beginning, oldest first: whether it went without a copy."""
        if not self.possible:
            return []
        text = (TRACING / "trace").read_text()
        return [found == "1" for found in re.findall(rf"{PROBE}: .*success=(\d+)", text)]

    def close(self) -> None:
        """Take the probe away."""
        if self.possible:
            _append(f"events/kprobes/{PROBE}/enable", "0")
            _append("kprobe_events", f"-:{PROBE}")
        if self._mounted:
            umount(str(TRACING))
        self.possible = self._mounted = False


def _append(name: str, line: str) -> None:
    """One line to a file of tracefs. Python's own modes will not do: "w" makes the kernel forget all probes there are,
    "a" seeks to the end, which it refuses."""
    fd = os.open(TRACING / name, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, f"{line}\n".encode())
    finally:
        os.close(fd)
