"""``python -m tour.testing --device kernel|embedded|engine [--record FILE | --expect FILE]``: one line for each case.

FILE ``-`` is standard output (the lines then go to standard error). Exit code 0, 1 when an answer differs from
the expectation or a case crashed, 3 when the device is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from tour.errors import CapabilityMissing
from tour.testing import namespace
from tour.testing.case import SKIPPED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tour.testing", description="Run the contract suite.")
    parser.add_argument("--device", choices=("kernel", "embedded", "engine"), required=True)
    parser.add_argument("--record", metavar="FILE", help="write the answers as JSON")
    parser.add_argument("--expect", metavar="FILE", help="compare with recorded answers")
    parser.add_argument("--only", metavar="TEXT", default="", help="cases whose name contains TEXT")
    return parser.parse_args()


def main() -> int:
    """Run the suite in a network namespace of its own. Returns the exit code."""
    options = _arguments()
    namespace.enter()
    # Imported after the namespace is entered, which wants a process with one thread.
    from tour.testing import contract
    from tour.testing.devices import factory

    chosen = tuple(case for case in contract.cases if options.only in case.name)
    expected = json.loads(Path(options.expect).read_text())["answers"] if options.expect else None
    lines = sys.stderr if options.record == "-" else sys.stdout

    def told(name: str, answer: object) -> None:
        skipped = str(answer).startswith(SKIPPED)
        differs = expected is not None and not skipped and expected.get(name) != answer
        wrong = differs or str(answer).startswith("crashed")
        more = f"   expected {json.dumps(expected.get(name))}" if wrong and expected is not None else ""
        print(f"{'FAIL' if wrong else 'ok  '} {name}: {json.dumps(answer)}{more}", file=lines, flush=True)
        failed.extend([name] * wrong)

    failed: list[str] = []
    try:
        got = contract.answers(factory(options.device), chosen, told)
    except CapabilityMissing as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.record:
        _write(options.record, {"device": options.device, "kernel": os.uname().release, "answers": got})
    print(f"{len(got)} cases, {len(failed)} failed", file=lines)
    return 1 if failed else 0


def _write(path: str, recording: dict[str, object]) -> None:
    text = json.dumps(recording, indent=1, sort_keys=True) + "\n"
    if path == "-":
        sys.stdout.write(text)
    else:
        Path(path).write_text(text)


if __name__ == "__main__":
    sys.exit(main())
