"""The bench where its taps are: run in namespaces of its own, one JSON line a row to standard output.

``python -m tour.bench ROUNDS [ROW...]``; ``tour bench`` starts it there and draws what it says.
"""

from __future__ import annotations

import os
import sys
import time

import msgspec

from tour.bench.rows import chosen, measure


def main() -> None:
    """Measure the rows named, each line a :class:`tour.bench.report.Result`."""
    rounds, names = int(sys.argv[1]), sys.argv[2:]
    # What the parts print is not our data.
    out = os.dup(1)
    os.dup2(2, 1)
    for row in chosen(names):
        result = measure(row, rounds, time.monotonic)
        os.write(out, msgspec.json.encode(result) + b"\n")


if __name__ == "__main__":
    main()
