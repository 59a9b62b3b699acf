"""What live runs would find here, as a program of its own: ``spawn`` it where an agent would be, read its JSON.

Whether a tap can be had is decided by making one (TUNSETIFF), never by what the file's mode or unshare(2) promise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from tour.device.kernel import open_vhost
from tour.errors import CapabilityMissing
from tour.kvm.machine import open_kvm
from tour.net.port import open_port


def refused(attempt: Callable[[], object]) -> list[str] | None:
    """What, why and fix of the CapabilityMissing that ``attempt`` raises; None when it raises none."""
    try:
        attempt()
    except CapabilityMissing as error:
        return [error.what, error.why, error.fix]
    return None


def main() -> None:
    """Print one JSON object: each capability's refusal, null where it is there."""
    found = {
        "kernel": refused(lambda: os.close(open_vhost())),
        "tun": refused(lambda: open_port(choice="tap").close()),
        "kvm": refused(lambda: os.close(open_kvm())),
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
