"""User-mode Linux as a guest: a Linux kernel that runs as a process and whose network card is a vhost-user socket.

virtio_uml (arch/um/drivers/virtio_uml.c@6.1) is the front end. Its memory is a file in TMPDIR, passed to the server;
that, and the folder of its control socket, lie in a tmpfs that only it can see.
"""

from __future__ import annotations

from tour.guest import initramfs, parts
from tour.guest.initramfs import PEER_IP, PREFIX
from tour.guest.shape import Boot, Shape

MODULES = ("virtio_net", "af_packet")
NETWORK_DEVICE = 1
"""virtio v1.3 5: the device's number, which virtio_uml.device wants behind the socket's path."""
OWN_TMPFS = 'mount -t tmpfs tmpfs /dev/shm && exec "$0" "$@"'
OWN_TAP = (
    "ip tuntap add tap0 mode tap && ip addr add {ip}/{prefix} dev tap0 && ip link set lo up && ip link set tap0 up"
)
VECTOR = "vec0:transport=tap,ifname=tap0,depth=128,gro=1"
"""The guest's own driver for a tap (Linux Documentation/virt/uml/user_mode_linux_howto_v2.rst)."""


def boot(shape: Shape) -> Boot:
    """How to start it. Raises CapabilityMissing("uml") naming the packages that lack, UsageError."""
    return Boot(("/bin/sh", "-c", OWN_TMPFS, *command_line(shape)), {"TMPDIR": "/dev/shm"}, quiet=10.0)


def boot_on_tap(shape: Shape, command: str) -> Boot:
    """How to start it without vhost-user, on a tap in the network it is started in, where ``command`` runs as well:
    what vhost-user is measured against. Raises as ``boot``."""
    tap = OWN_TAP.format(ip=PEER_IP, prefix=PREFIX)
    script = f"{tap} && {{ {command} & }} && {OWN_TMPFS}"
    return Boot(("/bin/sh", "-c", script, *command_line(shape), VECTOR), {"TMPDIR": "/dev/shm"}, quiet=10.0)


def command_line(shape: Shape) -> list[str]:
    """ARGV: console on descriptors 0 and 1, no other terminal, nothing said but errors. Raises as ``boot``."""
    programs = parts.find(("linux.uml", "busybox", *shape.programs), "uml")
    program = programs["linux.uml"]
    archive = initramfs.prepare(parts.uml_kernel(program), programs, MODULES)
    argv = [str(program), f"mem={shape.memory}M", f"initrd={archive}", "con=null", "con0=fd:0,fd:1", "ssl=null"]
    argv += ["uml_dir=/dev/shm/", "loglevel=2", "panic=-1", "root=/dev/ram0"]
    argv += [f"virtio_uml.device={shape.socket}:{NETWORK_DEVICE}"] if shape.socket else []
    return [*argv, *shape.extra, *([initramfs.SERVE] if shape.serve else [])]
