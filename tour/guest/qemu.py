"""QEMU as a guest's machine, its network card a vhost-user socket.

Under software emulation QEMU 7.2 crashes with vhost-user and MSI-X: the PCI card gets none (vectors=0), and with
neither legacy nor MSI-X it interrupts by INTx. ``microvm`` has virtio-mmio cards, which know no MSI-X.
"""

from __future__ import annotations

from pathlib import Path

from tour.errors import UsageError
from tour.guest import initramfs, parts
from tour.guest.initramfs import GUEST_MAC
from tour.guest.shape import Boot, Shape
from tour.lab import accelerator
from tour.lab.initramfs import unpacked
from tour.lab.kernel import find_kernel
from tour.lab.qemu import BARE, END, FAST, accelerated

MACHINES = {
    "microvm": ("virtio_mmio", "virtio-net-device,netdev=n"),
    "q35": ("virtio_pci", "virtio-net-pci,netdev=n,vectors=0,disable-legacy=on"),
}
"""Of each machine: the module of its virtio transport, and the network card."""
CONSOLE = "console=ttyS0 loglevel=2"
QUIET = {"kvm": 10.0, "tcg": 30.0}


def boot(shape: Shape, machine: str = "microvm", kernel: str = "") -> Boot:
    """How to start Linux ``kernel`` (as the lab finds it) on ``machine``.

    Raises CapabilityMissing("qemu" or "lab") naming the packages that lack, UsageError.
    """
    if machine not in MACHINES:
        raise UsageError(f"There is no machine '{machine}'.", "", f"choose {' or '.join(MACHINES)}")
    programs = parts.find(("qemu-system-x86_64", "busybox", *shape.programs), "qemu")
    found = find_kernel(kernel)
    archive = initramfs.prepare(found, programs, (MACHINES[machine][0], "virtio_net", "af_packet"))
    accel = accelerator.candidates()[0]
    argv = command_line(programs["qemu-system-x86_64"], unpacked(found.image), archive, shape, machine, accel)
    return Boot(tuple(argv), quiet=QUIET[accel], accelerator=accel)


def command_line(program: Path, image: Path, archive: Path, shape: Shape, machine: str, accel: str) -> list[str]:
    """ARGV: console on descriptors 0 and 1; memory that the server may map; a card that comes back with its server."""
    argv = [str(program), *BARE, "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
    argv += ["-M", f"{machine},memory-backend=m", "-m", f"{shape.memory}M"]
    argv += ["-object", f"memory-backend-memfd,id=m,share=on,size={shape.memory}M"]
    options, clock = accelerated(accel, cpus=1)
    words = (CONSOLE, END, FAST, clock, *([initramfs.SERVE] if shape.serve else []))
    argv += [*options, "-kernel", str(image), "-initrd", str(archive), "-append", " ".join(words)]
    if shape.socket:
        path = shape.socket.replace(",", ",,")
        argv += ["-chardev", f"socket,id=c,path={path},reconnect=1", "-netdev", "vhost-user,id=n,chardev=c"]
        argv += ["-device", f"{MACHINES[machine][1]},mac={GUEST_MAC}"]
    return [*argv, *shape.extra]
