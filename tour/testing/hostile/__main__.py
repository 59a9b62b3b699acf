"""``python -m tour.testing.hostile --victim python|engine|socket|kernel [--only TEXT] [--json]``: the catalogue, done.

One line for each entry. Exit code 0, 1 when something came out otherwise than the catalogue has it, 3 when the victim
is not to be had here. The kernel may spin for ever: attack it in the lab only (``tour lab run``).
"""

from __future__ import annotations

import argparse
import json
import sys

from tour.errors import CapabilityMissing
from tour.testing import namespace
from tour.testing.hostile.catalogue import VICTIMS, against


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tour.testing.hostile", description="Do every named violation.")
    parser.add_argument("--victim", choices=VICTIMS, required=True)
    parser.add_argument("--only", metavar="TEXT", default="", help="entries whose id contains TEXT")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args()


def main() -> int:
    """Attack in a network namespace of its own. Returns the exit code."""
    options = _arguments()
    namespace.enter()
    # Imported after the namespace is entered, which wants a process with one thread.
    from tour.testing.hostile.attack import attack
    from tour.testing.hostile.victim import Victim

    done = failed = 0
    for entry in against(options.victim):
        if options.only not in entry.id:
            continue
        try:
            victim = Victim(options.victim)
        except CapabilityMissing as missing:
            print(missing, file=sys.stderr)
            return missing.exit_code
        try:
            outcome = attack(victim, entry)
        except CapabilityMissing as missing:
            print(missing, file=sys.stderr)
            return missing.exit_code
        finally:
            victim.close()
        wrong = outcome.wrong(entry, options.victim)
        done, failed = done + 1, failed + bool(wrong)
        if options.json:
            print(
                json.dumps({"id": entry.id, "verdict": outcome.verdict, "reason": outcome.reason, "wrong": wrong}),
                flush=True,
            )
        else:
            print(
                f"{'FAIL' if wrong else 'ok  '} {entry.id}: {outcome.verdict} {outcome.reason} {'; '.join(wrong)}",
                flush=True,
            )
    if not options.json:
        print(f"{done} violations, {failed} otherwise than expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
