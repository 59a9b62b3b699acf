"""QEMU's command line for the lab.

The ``microvm`` machine has virtio-mmio devices and nothing to probe. Under emulation its time stamp counter (the
host's own: target/i386 helper_rdtsc) cannot be calibrated and about every second boot hangs, unless the kernel is told
its frequency and not to check the timer; ``tsc=reliable`` makes it the clock, else time advances in steps of 4 ms.
(Linux Documentation/admin-guide/kernel-parameters.txt.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tour.lab.initramfs import BootFiles
from tour.lab.script import PORTS

BARE = ("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none")
CONSOLE = "console=ttyS0 loglevel=7 printk.time=1"
END = "panic=-1 reboot=t"
FAST = "cryptomgr.notests audit=0 mitigations=off lsm= random.trust_cpu=on"
CPUINFO = Path("/proc/cpuinfo")
USUAL_KHZ = 2600000
# rdrand: without it the kernel has no seed and Python waits a second for random bytes. ssse3 to popcnt: what
# distributions built for x86-64-v2 need. svm: /dev/kvm inside.
EMULATED_CPU = "qemu64,+svm,+rdrand,+ssse3,+sse4.1,+sse4.2,+popcnt"


@dataclass(frozen=True)
class Shape:
    """How big the machine is: virtual CPUs and MiB of memory (taken from the host only as it is used).

    ``cpus`` 0 is two under KVM and one under emulation, where a second one makes everything a third slower.
    """

    cpus: int = 0
    memory: int = 1024


def command_line(
    qemu: Path, files: BootFiles, accelerator: str, ports: Mapping[str, int], out: Path | None, shape: Shape
) -> list[str]:
    """ARGV of QEMU. ``ports`` are the descriptors of connected sockets by port name; the console is its stdout."""
    argv = [str(qemu), *BARE, "-serial", "stdio", "-M", "microvm", "-m", f"{shape.memory}M"]
    options, clock = accelerated(accelerator, shape.cpus)
    argv += [*options, "-kernel", str(files.kernel), "-initrd", str(files.initramfs)]
    argv += ["-append", " ".join((CONSOLE, END, FAST, clock))]
    argv += _share("root", Path("/"), "readonly=on,multidevs=remap")
    if out:
        argv += _share("out", out, "multidevs=remap")
    argv += ["-device", "virtio-serial-device"]
    for number, name in enumerate(PORTS, start=1):
        argv += ["-chardev", f"socket,id={name},fd={ports[name]}"]
        argv += ["-device", f"virtserialport,chardev={name},nr={number},name=tour.{name}"]
    return argv


def accelerated(accelerator: str, cpus: int) -> tuple[list[str], str]:
    """The part of ARGV that chooses ``accelerator`` and the CPUs (0 as ``Shape`` says), and what the kernel must then
    be told of its clock."""
    if accelerator == "kvm":
        return ["-accel", "kvm", "-cpu", "host", "-smp", str(cpus or 2)], "no_timer_check"
    thread = "multi" if cpus > 1 else "single"
    argv = ["-accel", f"tcg,thread={thread}", "-cpu", EMULATED_CPU, "-smp", str(cpus or 1)]
    return argv, f"tsc_early_khz={tsc_khz()} tsc=reliable no_timer_check"


def _share(tag: str, folder: Path, options: str) -> list[str]:
    """A folder of the host as a 9p device; QEMU wants a comma in a value doubled."""
    path = str(folder).replace(",", ",,")
    device = ["-device", f"virtio-9p-device,fsdev={tag},mount_tag={tag}"]
    return ["-fsdev", f"local,id={tag},path={path},security_model=none,{options}", *device]


def tsc_khz() -> int:
    """The frequency of this machine's time stamp counter: Linux derives bogomips, which all may read, from it
    (arch/x86/kernel/tsc.c, lpj_fine: loops a jiffy = kHz * 1000 / HZ; shown as lpj * HZ / 500000)."""
    found = re.search(r"^bogomips\s*:\s*([\d.]+)", _cpuinfo(), re.MULTILINE)
    return round(float(found[1]) * 500) if found else USUAL_KHZ


def _cpuinfo() -> str:
    try:
        return CPUINFO.read_text()
    except OSError:
        return ""
