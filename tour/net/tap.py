"""A tap: a network interface whose other end is a file descriptor. Linux 2.6.27's vnet header included.

The tap itself is the peer's interface: our namespace's own network stack has an address on it and answers.
Source: Documentation/networking/tuntap.rst, drivers/net/tun.c.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct

from tour.abi.names import TunFlag, TunIoctl
from tour.errors import CapabilityMissing
from tour.net.frames import NET_HDR_LEN
from tour.net.observer import TapObserver
from tour.trace.events import Syscall
from tour.trace.recorder import Recorder, here

DEVICE = "/dev/net/tun"
FRAME_MAX = NET_HDR_LEN + 65550
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


class TapPort:
    """A tap of our own with a 12-byte virtio_net_hdr and no offloads, non-blocking.

    Emits every system call it makes. Raises CapabilityMissing("tun"). The interface goes when it is closed.
    """

    real = True
    why = ""

    def __init__(self, recorder: Recorder | None = None, name: str = "tap0", device: str = DEVICE) -> None:
        self.name = name
        self._recorder = recorder
        self._fd = -1
        self._fd = self._open(device)
        try:
            self._configure()
        except OSError as error:
            self.close()
            raise missing("ioctl TUNSETIFF", error) from error

    def __enter__(self) -> TapPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, device: str) -> int:
        args = [f'"{device}"', "O_RDWR|O_NONBLOCK|O_CLOEXEC"]
        try:
            fd = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self._say("open", args, -1, error)
            raise missing(f"open of {device}", error) from error
        self._say("open", args, fd)
        return fd

    def _configure(self) -> None:
        flags = TunFlag.IFF_TAP | TunFlag.IFF_NO_PI | TunFlag.IFF_VNET_HDR
        request = _IFREQ.pack(self.name.encode(), flags)
        self._ioctl(TunIoctl.TUNSETIFF, request, f'{{"{self.name}", IFF_TAP|IFF_NO_PI|IFF_VNET_HDR}}')
        self._ioctl(TunIoctl.TUNSETVNETHDRSZ, _INT.pack(NET_HDR_LEN), f"[{NET_HDR_LEN}]")
        self.set_offload(0)

    def set_offload(self, bits: int) -> None:
        """Allow the tap to hand over unfinished frames: ``bits`` are TUN_F_* of linux/if_tun.h. Raises OSError."""
        self._ioctl(TunIoctl.TUNSETOFFLOAD, bits, f"{bits:#x}")

    def _ioctl(self, request: TunIoctl, argument: bytes | int, shown: str) -> None:
        args = [str(self._fd), request.name, shown]
        try:
            fcntl.ioctl(self._fd, request, argument)
        except OSError as error:
            self._say("ioctl", args, -1, error)
            raise
        self._say("ioctl", args, 0)

    def _say(self, name: str, args: list[str], result: int, error: OSError | None = None) -> None:
        if self._recorder:
            code = errno.errorcode.get(error.errno or 0, "?") if error else None
            self._recorder.emit(Syscall(name, args, result, code), actor="control", frame=here(3))

    def fileno(self) -> int:
        """The tap's descriptor, for NET_SET_BACKEND and for reading and writing frames."""
        return self._fd

    def read(self) -> bytes | None:
        """The next frame for the guest, virtio_net_hdr first; None when there is none."""
        try:
            return os.read(self._fd, FRAME_MAX)
        except BlockingIOError:
            return None

    def write(self, data: bytes) -> int:
        """Send a frame of the guest, virtio_net_hdr first. Raises OSError: EIO while the link is down."""
        return os.write(self._fd, data)

    def pending(self) -> bool:
        """Whether a frame for the guest waits in the tap's queue."""
        return readable(self._fd)

    def observe(self) -> TapObserver:
        """An AF_PACKET socket on this tap, seeing frames from now on."""
        return TapObserver(self.name)

    def close(self) -> None:
        """Close the descriptor; the interface goes with it. Safe to call again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def readable(fd: int) -> bool:
    """Whether a read from ``fd`` would find something now."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))
