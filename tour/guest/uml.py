"""User-mode Linux as a guest: a Linux kernel that runs as a process and whose network card is a vhost-user socket.

virtio_uml (arch/um/drivers/virtio_uml.c@6.1) is the front end. Its memory is a file in TMPDIR, passed to the server;
that, and the folder of its control socket, lie in a tmpfs that only it can see.
"""

from __future__ import annotations

from pathlib import Path

from tour.guest import initramfs, parts
from tour.guest.shape import Boot, Shape

MODULES = ("virtio_net", "af_packet")
NETWORK_DEVICE = 1
"""virtio v1.3 5: the device's number, which virtio_uml.device wants behind the socket's path."""
OWN_TMPFS = 'mount -t tmpfs tmpfs /dev/shm && exec "$0" "$@"'


def boot(shape: Shape) -> Boot:
    """How to start it. Raises CapabilityMissing("uml") naming the packages that lack, UsageError."""
    programs = parts.find(("linux.uml", "busybox", *shape.programs), "uml")
    archive = initramfs.prepare(parts.uml_kernel(programs["linux.uml"]), programs, MODULES)
    argv = command_line(programs["linux.uml"], archive, shape)
    return Boot(("/bin/sh", "-c", OWN_TMPFS, *argv), {"TMPDIR": "/dev/shm"}, quiet=10.0)


def command_line(program: Path, archive: Path, shape: Shape) -> list[str]:
    """ARGV: console on descriptors 0 and 1, no other terminal, nothing said but errors."""
    argv = [str(program), f"mem={shape.memory}M", f"initrd={archive}", "con=null", "con0=fd:0,fd:1", "ssl=null"]
    argv += ["uml_dir=/dev/shm/", "loglevel=2", "panic=-1", "root=/dev/ram0"]
    argv += [f"virtio_uml.device={shape.socket}:{NETWORK_DEVICE}"] if shape.socket else []
    return [*argv, *shape.extra, *([initramfs.SERVE] if shape.serve else [])]
