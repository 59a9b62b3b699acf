"""KVM or software emulation: decided by booting, and remembered until the machine's next boot.

/dev/kvm may be there and still be unable to run a kernel (nested virtualisation, a forbidding host), so its presence
decides nothing. VHOST_TOUR_LAB_ACCEL=kvm or tcg decides by hand.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tour.lab import cache

ENV = "VHOST_TOUR_LAB_ACCEL"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
DEVICE = Path("/dev/kvm")


def candidates() -> list[str]:
    """The accelerators to try, in order: of 'kvm', 'tcg'."""
    wanted = os.environ.get(ENV, "")
    if wanted in ("kvm", "tcg"):
        return [wanted]
    if os.access(DEVICE, os.R_OK | os.W_OK) and not _verdict().exists():
        return ["kvm", "tcg"]
    return ["tcg"]


def kvm_failed() -> None:
    """Remember that KVM did not boot the lab on this boot of this machine."""
    with contextlib.suppress(OSError):  # then it is tried again next time
        _verdict().parent.mkdir(parents=True, exist_ok=True)
        for old in _verdict().parent.glob("no-kvm-*"):
            old.unlink(missing_ok=True)
        _verdict().touch()


def _verdict() -> Path:
    try:
        boot = BOOT_ID.read_text().strip()
    except OSError:
        boot = "unknown"
    return cache.folder() / f"no-kvm-{boot}"
