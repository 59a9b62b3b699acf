"""The bench where its taps are: run in namespaces of its own, one JSON line a row to standard output.

``python -m tour.bench ROUNDS [ROW...]``; ``tour bench`` starts it there and draws what it says.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

import msgspec

from tour.abi import libc
from tour.bench.rows import chosen, measure

PRIVATE = "/run/lock"
"""Not /tmp, where a clone may lie, nor /dev/shm, which a guest covers with its own."""


def use_private_folder() -> None:
    """Where mounts are our own, temporary files and DPDK's go where nobody else sees them, and with us."""
    if "mount" not in os.environ.get(libc.LAYERS_ENV, "").split(","):
        return
    with contextlib.suppress(OSError):
        libc.mount("tmpfs", PRIVATE, "tmpfs", libc.MS_NOSUID | libc.MS_NODEV)
        os.environ.update(TMPDIR=PRIVATE, RUNTIME_DIRECTORY=PRIVATE)


def main() -> None:
    """Measure the rows named, each line a :class:`tour.bench.report.Result`."""
    use_private_folder()
    rounds, names = int(sys.argv[1]), sys.argv[2:]
    # What the parts print is not our data.
    out = os.dup(1)
    os.dup2(2, 1)
    for row in chosen(names):
        result = measure(row, rounds, time.monotonic)
        os.write(out, msgspec.json.encode(result) + b"\n")


if __name__ == "__main__":
    main()
