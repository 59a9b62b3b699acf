"""The ways in which lesson 17 gives a QEMU its network, and what is told of each run."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tour.device.kernel import open_vhost
from tour.errors import TimedOut
from tour.net.address import bring_up
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC, PREFIX
from tour.net.tap import TapPort
from tour.scene.nic import Nic
from tour.scene.qemu import Qemu
from tour.scene.qemu_guest import LOAD, UP, GuestFiles
from tour.scene.strace import Strace, Traced
from tour.trace import events as ev

TAP = "tap0"
PINGS = 100
BY_NAME = f"tap,id=n,ifname={TAP},script=no,downscript=no"
NOBODY = 65534
KINDS = 8
"""So many kinds of calls are listed."""
OTHER_IP, OTHER_MAC = "10.0.2.3", "02:00:00:00:00:03"
WINDOW_SECONDS = 60.0
LATEST_SECONDS = 8
PRIVATE = (
    'mount --bind "$0" /dev/kvm && mount --bind "$1" /dev/vhost-net && shift && '
    'exec setpriv --reuid {id} --regid {id} --clear-groups "$@"'
)
"""In a mount namespace of its own: a /dev/kvm that everybody may open, as libvirt's kvm group allows, and a
/dev/vhost-net that nobody may, whatever its mode is here; then nobody."""
LESSONS = {
    "VHOST_SET_OWNER": "2", "VHOST_GET_FEATURES": "3", "VHOST_SET_FEATURES": "3", "VHOST_SET_MEM_TABLE": "4",
    "VHOST_SET_VRING_NUM": "5", "VHOST_SET_VRING_BASE": "5", "VHOST_SET_VRING_ADDR": "5", "VHOST_SET_VRING_KICK": "6",
    "VHOST_SET_VRING_CALL": "6", "VHOST_SET_VRING_ERR": "6", "VHOST_NET_SET_BACKEND": "7",
}  # fmt: skip
"""The calls that the learner made, and in which lesson."""


def address(nic: Nic) -> None:
    """The host's side of the tap, up and with an address: the peer of the guest."""
    bring_up(TAP, PEER_IP, PEER_MAC, PREFIX)
    told = ev.Peer(TAP, PEER_MAC, PEER_IP, GUEST_MAC, GUEST_IP, True)
    nic.recorder.emit(told, actor="network", source="observer")


def vhost_calls(calls: Sequence[Traced]) -> list[str]:
    """The names of the vhost ioctls among ``calls``, in order."""
    return [call.args[1] for call in calls if call.name == "ioctl" and call.args[1].startswith("VHOST_")]


def on_tap(calls: Sequence[Traced]) -> int:
    """How often the tap was read or written."""
    names = ("read", "readv", "write", "writev")
    return sum(call.name in names and call.path == "/dev/net/tun" for call in calls)


def opened(calls: Sequence[Traced]) -> int:
    """How often the tap's or vhost's device file was opened."""
    files = ('"/dev/net/tun"', '"/dev/vhost-net"')
    return sum(call.name == "openat" and not call.errno and call.args[1] in files for call in calls)


def tell_calls(nic: Nic, calls: Sequence[Traced]) -> None:
    """What QEMU opened of the three device files, and its calls on vhost, as events: strace saw them."""
    for call in calls:
        if call.name == "openat" and call.args[1].strip('"') in ("/dev/kvm", "/dev/net/tun", "/dev/vhost-net"):
            args = ["AT_FDCWD", *call.args[1:]]
        elif call.path == "/dev/vhost-net":
            args = list(call.args)
        else:
            continue
        told = ev.Syscall(call.name, args, call.result, call.errno or None)
        nic.recorder.emit(told, actor="control", source="observer")


def tell_kinds(nic: Nic, name: str, calls: Sequence[Traced]) -> None:
    """The kinds of calls, the most frequent first: name, the file or the ioctl's name, how often."""
    kinds = Counter((call.name, call.args[1] if call.name == "ioctl" else call.path) for call in calls)
    nic.listing(name, [[what, on or "-", str(count)] for (what, on), count in kinds.most_common(KINDS)])


def tell_files(nic: Nic, qemu: Qemu) -> None:
    """What it has open, each kind once with how often."""
    shown = ("/dev/", "anon_inode:")
    kinds = Counter(path for _, path in qemu.files() if path.startswith(shown) and path != "/dev/null")
    nic.listing("files", [[path, str(count)] for path, count in sorted(kinds.items())])


def tell_worker(nic: Nic, qemu: Qemu, name: str) -> None:
    """Its worker, if there is one: as the worker of the screen, and whose child or thread it is."""
    worker = qemu.worker()
    nic.figure(f"{name}.worker", worker.name if worker else "@none")
    if worker is None:
        nic.listing("worker", [])
        return
    worker.emit(nic.recorder)
    if worker.form == "thread":
        parent = f"qemu {qemu.pid}"
    else:
        stat = Path(f"/proc/{worker.tid}/stat").read_text()
        above = stat[stat.rindex(")") + 2 :].split()[1]
        parent = f"{Path(f'/proc/{above}/comm').read_text().strip()} {above}"
    nic.listing("worker", [[worker.name, str(worker.tid), f"@{worker.form}", parent]])


def compare(nic: Nic, start: Sequence[str], driver: Sequence[str]) -> None:
    """Every vhost call of this QEMU beside the lesson in which the learner made it."""
    first, later = Counter(start), Counter(driver)
    names = list(dict.fromkeys([*LESSONS, *start, *driver]))
    rows = [[name, LESSONS.get(name, "-"), str(first[name] or "-"), str(later[name] or "-")] for name in names]
    nic.listing("compare", rows)


def load_driver(qemu: Qemu) -> list[Traced]:
    """The guest loads virtio_net and gives its card an address; what QEMU opens and sets meanwhile."""
    with Strace(qemu.pid, "ioctl,openat") as traced:
        qemu.command(LOAD)
        qemu.command(UP)
        return traced.let_go()


def pinged(qemu: Qemu, seconds: int = 2) -> list[Traced]:
    """``PINGS`` pings and their replies, the console silent; every system call of QEMU's meanwhile.

    The guest waits ``seconds`` before the first; where strace holds QEMU later than that, all is done once more with
    twice as long. Raises TimedOut if that does not help.
    """
    before = counters()
    qemu.command(f"(sleep {seconds}; ping -q -c {PINGS} -i 0.01 {PEER_IP} >/pinged; echo >/ended) >/dev/null 2>&1 &")
    with Strace(qemu.pid) as traced:
        late = counters() != before
        _until(lambda: counters()[0] - before[0] >= PINGS and counters()[1] - before[1] >= PINGS)
        calls = traced.let_go()
    qemu.command("while [ ! -e /ended ]; do usleep 10000; done; rm /ended; cat /pinged")
    if not late:
        return calls
    if seconds > LATEST_SECONDS:
        raise TimedOut("strace held QEMU only after the first ping.")
    return pinged(qemu, 2 * seconds)


def counters() -> tuple[int, int]:
    """The tap's own: packets it received and packets it sent, as the host counts (/proc/net/dev)."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    words = next(line.split(":")[1].split() for line in lines if line.strip().startswith(f"{TAP}:"))
    return int(words[1]), int(words[9])


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WINDOW_SECONDS
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)


def lend(nic: Nic) -> tuple[int, int]:
    """You, as libvirt: a tap and a vhost device, opened by us."""
    port = TapPort(nic.recorder, TAP)
    nic.stack.callback(port.close)
    nic.own.port = port
    nic.own.vhost = vhost = nic.stack.enter_context(io.FileIO(open_vhost(), "r+"))
    args = ["AT_FDCWD", '"/dev/vhost-net"', "O_RDWR|O_CLOEXEC"]
    nic.recorder.emit(ev.Syscall("openat", args, vhost.fileno()), actor="control")
    address(nic)
    return port.fileno(), vhost.fileno()


def take_back(nic: Nic) -> None:
    """Close both again, if they were lent: the tap goes."""
    if hasattr(nic.own, "port"):
        nic.own.port.close()
        nic.own.vhost.close()
        del nic.own.port


def as_nobody(nic: Nic) -> list[str]:
    """Words in front of a command line that make it run as nobody, who may open /dev/kvm and nothing else of ours.

    None where this process has one user only (a user namespace): it then runs as that one.
    """
    if Path("/proc/self/uid_map").read_text().split()[2] == "1":
        return []
    folder = nic.stack.enter_context(tempfile.TemporaryDirectory(prefix="kvm-"))
    os.chmod(folder, 0o755)
    node = f"{folder}/kvm"
    os.mknod(node, 0o020666, os.stat("/dev/kvm").st_rdev)
    os.chmod(node, 0o666)
    closed = Path(folder, "vhost-net")
    closed.touch()
    closed.chmod(0)
    return ["unshare", "--mount", "sh", "-c", PRIVATE.format(id=NOBODY), node, str(closed)]


def readable(nic: Nic, files: GuestFiles) -> tuple[GuestFiles, list[int]]:
    """The same files by descriptors, for somebody who may not walk to them."""
    fds = [os.open(path, os.O_RDONLY | os.O_CLOEXEC) for path in (files.kernel, files.initramfs)]
    for fd in fds:
        nic.stack.callback(os.close, fd)
    return GuestFiles(*(Path(f"/proc/self/fd/{fd}") for fd in fds)), fds
