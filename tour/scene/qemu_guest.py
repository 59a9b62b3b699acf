"""What lesson 17's guest boots: BusyBox and the modules of a virtio network card, its driver held back.

It takes commands from its serial console, one a line, and ends each with a line ``done CODE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tour.lab import cache, initramfs, modules
from tour.lab.initramfs import FILE, FOLDER, PROGRAM
from tour.lab.kernel import find_tools
from tour.net.frames import GUEST_IP, PREFIX

FIRST = ("virtio_pci", "af_packet")
DRIVER = ("virtio_net",)
FOLDERS = ("bin", "dev", "modules", "proc", "sys")
READY, DONE = "guest ready", "done "
LOAD = "while read -r name; do insmod /modules/$name.ko || exit 1; done </driver"
UP = f"ip link set eth0 up && ip addr add {GUEST_IP}/{PREFIX} dev eth0"
INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo -onlcr
while read -r name; do insmod /modules/$name.ko; done </first
for scope in all default; do echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6; done 2>/dev/null
ip link set lo up
echo {READY}
while read -r line; do
    sh -c "$line" </dev/null >/tmp-said 2>&1
    code=$?
    cat /tmp-said
    echo "{DONE}$code"
done
poweroff -f
"""


@dataclass(frozen=True)
class GuestFiles:
    """A kernel and an initramfs for QEMU's -kernel and -initrd."""

    kernel: Path
    initramfs: Path


def prepare() -> GuestFiles:
    """Made the first time and kept. Raises CapabilityMissing("lab") naming the packages, UsageError if not kept."""
    tools = find_tools()
    first = modules.load_order(tools.kernel, FIRST)
    later = [one for one in modules.load_order(tools.kernel, (*FIRST, *DRIVER)) if one not in first]
    entries = [(name, FOLDER, b"") for name in FOLDERS]
    entries += [("bin/busybox", PROGRAM, tools.busybox.read_bytes()), ("init", PROGRAM, INIT.encode())]
    entries += [(f"modules/{one.name}.ko", FILE, one.data) for one in (*first, *later)]
    for name, order in (("first", first), ("driver", later)):
        entries.append((name, FILE, "".join(f"{one.name}\n" for one in order).encode()))
    archive = cache.keep(f"lesson17-{initramfs.digest(entries)}.cpio", lambda: initramfs.pack(entries))
    return GuestFiles(initramfs.unpacked(tools.kernel.image), archive)
