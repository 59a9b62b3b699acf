"""What a guest boots: BusyBox, iperf3, the modules its network card needs, and an init script of ours.

Commands come over its console, so that one archive, kept, serves every boot.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from tour.errors import UsageError
from tour.guest import parts
from tour.lab import cache, initramfs, modules
from tour.lab.kernel import Kernel

GUEST_IP, PEER_IP, PREFIX = "10.0.2.1", "10.0.2.2", 24
GUEST_MAC = "02:00:00:00:00:01"
SERVE = "tour.serve"
"""The word of the kernel's command line that has the guest take commands from its console instead of a person."""
LONGEST = 4000
"""Bytes of a command's line: a terminal's line holds 4095 (N_TTY_BUF_SIZE, drivers/tty/n_tty.c@6.1)."""
MARKER = "tour-guest: "
FOLDERS = ("bin", "dev", "etc", "modules", "proc", "root", "sys", "tmp")

INIT = f"""#!/bin/busybox sh
b=/bin/busybox
say() {{ echo "{MARKER}$*"; }}
fail() {{ say "fail $*"; $b poweroff -f; }}
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
$b --install -s /bin
export PATH=/bin:/usr/bin HOME=/root TMPDIR=/tmp TERM=linux PS1='guest# '
exec </dev/console >/dev/console 2>&1
stty -onlcr
say init
while read -r name; do insmod "/modules/$name.ko" || fail "module $name was refused"; done </order
for scope in all default; do echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6; done 2>/dev/null
ip link set lo up
card() {{ for card in eth0 vec0; do [ -e /sys/class/net/$card ] && return; done; false; }}
tries=0
until card; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || fail "no network card"
    usleep 10000
done
ip link set $card address {GUEST_MAC} up || fail "the network card cannot be brought up"
ip addr add {GUEST_IP}/{PREFIX} dev $card
say up
cd /root
if grep -q {SERVE} /proc/cmdline; then
    stty -echo
    say ready
    while read -r line; do
        echo "$line" | base64 -d >/tmp/command
        sh /tmp/command </dev/null
        say "exit $?"
    done
else
    stty onlcr
    setsid cttyhack sh
fi
poweroff -f
"""


def prepare(kernel: Kernel, programs: dict[str, Path], wanted: Sequence[str]) -> Path:
    """The archive for ``kernel`` with the modules ``wanted``, made the first time and kept.

    Raises CapabilityMissing for what the kernel lacks, UsageError if it cannot be kept.
    """
    order = modules.load_order(kernel, wanted)
    found = entries(programs, order)
    return cache.keep(f"guest-{initramfs.digest(found)}.cpio", lambda: initramfs.pack(found))


def entries(programs: dict[str, Path], order: Sequence[modules.Module]) -> list[tuple[str, int, bytes]]:
    """Name, mode and content of everything in the archive, folders before what is in them."""
    files = {"bin/busybox": programs["busybox"].read_bytes(), "init": INIT.encode()}
    if "iperf3" in programs:
        files |= parts.with_libraries(programs["iperf3"])
    files |= {f"modules/{module.name}.ko": module.data for module in order}
    files["order"] = "".join(f"{module.name}\n" for module in order).encode()
    folders = {*FOLDERS, *(str(above) for name in files for above in PurePosixPath(name).parents)} - {"."}
    return [
        *((name, initramfs.FOLDER, b"") for name in sorted(folders)),
        *((name, initramfs.PROGRAM, data) for name, data in files.items()),
    ]


def line(command: str) -> bytes:
    """What tells a guest that serves to run ``command`` in a shell. Raises UsageError if it is too long."""
    coded = base64.b64encode(command.encode())
    if len(coded) > LONGEST:
        raise UsageError(f"A guest's command has at most {LONGEST // 4 * 3} bytes.", "", "give it a shorter one")
    return coded + b"\n"
