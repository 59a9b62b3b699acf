"""A tap: a network interface whose other end is a file descriptor. Linux 2.6.27's vnet header included.

The tap itself is the peer's interface: our namespace's own network stack has an address on it and answers.
Source: Documentation/networking/tuntap.rst, drivers/net/tun.c.
"""

from __future__ import annotations

import errno
import struct

from tour.abi.names import TunFlag, TunIoctl
from tour.errors import CapabilityMissing
from tour.net.file import FilePort
from tour.net.frames import NET_HDR_LEN
from tour.trace.recorder import Recorder

DEVICE = "/dev/net/tun"
# struct ifreq: 16 bytes of name, then a union of 24 of which ifr_flags is a short (linux/if.h)
_IFREQ = struct.Struct("16sH22x")
_INT = struct.Struct("i")

# errno -> (why, the command that mends it)
_FIXES = {
    errno.ENOENT: (
        f"{DEVICE} does not exist.",
        "sudo modprobe tun   (in a container: start it with --device /dev/net/tun)",
    ),
    errno.ENODEV: ("The kernel's tun module is not loaded.", "sudo modprobe tun"),
    errno.ENXIO: ("The kernel's tun module is not loaded.", "sudo modprobe tun"),
    errno.EACCES: (f"This user may not open {DEVICE}.", f"sudo chmod 0666 {DEVICE}"),
    errno.EPERM: (
        "The kernel wants CAP_NET_ADMIN over the network namespace, or a container forbids the device.",
        "start it through 'tour', or in a container with --device /dev/net/tun --cap-add NET_ADMIN",
    ),
    errno.EBUSY: ("Another process uses an interface of that name.", "end that process, then try again"),
}


def missing(step: str, error: OSError) -> CapabilityMissing:
    """The error for a refused ``step`` of making a tap: what, why, and the command that mends it."""
    why, fix = _FIXES.get(error.errno or 0, (error.strerror or "", ""))
    name = errno.errorcode.get(error.errno or 0, "?")
    return CapabilityMissing("tun", f"No tap could be made: {step} says {name}.", why, fix)


class TapPort(FilePort):
    """A tap of our own with a 12-byte virtio_net_hdr and no offloads, non-blocking.

    Emits every system call it makes. Raises CapabilityMissing("tun"). The interface goes when it is closed.
    """

    def __init__(self, recorder: Recorder | None = None, name: str = "tap0", device: str = DEVICE) -> None:
        super().__init__(recorder, name)
        try:
            self._fd = self._open(device)
        except OSError as error:
            raise missing(f"open of {device}", error) from error
        try:
            self._configure()
        except OSError as error:
            self.close()
            raise missing("ioctl TUNSETIFF", error) from error

    def _configure(self) -> None:
        flags = TunFlag.IFF_TAP | TunFlag.IFF_NO_PI | TunFlag.IFF_VNET_HDR
        request = _IFREQ.pack(self.name.encode(), flags)
        self._ioctl(TunIoctl.TUNSETIFF, "TUNSETIFF", request, f'{{"{self.name}", IFF_TAP|IFF_NO_PI|IFF_VNET_HDR}}')
        self._ioctl(TunIoctl.TUNSETVNETHDRSZ, "TUNSETVNETHDRSZ", _INT.pack(NET_HDR_LEN), f"[{NET_HDR_LEN}]")
        self.set_offload(0)

    def set_offload(self, bits: int) -> None:
        """Allow the tap to hand over unfinished frames: ``bits`` are TUN_F_* of linux/if_tun.h. Raises OSError."""
        self._ioctl(TunIoctl.TUNSETOFFLOAD, "TUNSETOFFLOAD", bits, f"{bits:#x}")
