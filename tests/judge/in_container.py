"""The hostile catalogue as a container runs it: root, but without CAP_SYS_ADMIN, so without namespaces.

Prints a JSON object: attack to what it came to, and under 'left' what processes it left behind. Where this Python or
this tree lie in a closed home, they are laid open first, in a mount namespace of our own, as in a container's image.
Usage (as root): in_container.py
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from tests.agent.as_nobody import CAP_SYS_ADMIN, PR_CAPBSET_DROP, open_way
from tests.judge.attacking import LIMITS, leftovers, run
from tests.judge.hostile import ATTACKS
from tour.abi import libc
from tour.errors import CapabilityMissing
from tour.judge.jail import open_jail


def main() -> None:
    """See the module's text."""
    if sys.argv[1:] != ["inside"]:
        libc.unshare(libc.CLONE_NEWNS)
        libc.mount("none", "/", "", libc.MS_REC | libc.MS_PRIVATE)
        open_way([Path(each).resolve() for each in (sys.base_prefix, sys.prefix, Path(__file__).parents[2])])
        libc.prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)
        os.execv(sys.executable, [sys.executable, "-m", "tests.judge.in_container", "inside"])
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        solutions, place = Path(name, "solutions"), Path(name, "open")
        solutions.mkdir(mode=0o700)
        place.mkdir()
        place.chmod(0o777)
        print(json.dumps(outcomes(solutions, place)))


def outcomes(solutions: Path, place: Path) -> dict[str, dict[str, str]]:
    """Every attack, and a few questions of its own."""
    (solutions / "solution.py").write_text("secret = 1\n")
    codes = {attack.name: attack.code for attack in ATTACKS}
    codes["read_solution"] = f"open({str(solutions)!r} + '/solution.py')"
    codes["who"] = "import os; raise ValueError(f'{os.getuid()} {os.getgid()} {os.getgroups()}')"
    told = {}
    for name, code in codes.items():
        with open_jail("container", LIMITS, (solutions,)) as jail:
            told[name] = {"told": run(jail, code, str(place))}
        told[name]["left"] = " ".join(leftovers())
        told[name]["output"] = str(len(jail.output()))
    solutions.chmod(0o755)
    try:
        open_jail("container", LIMITS, (solutions,))
        told["open_solutions"] = {"told": "opened"}
    except CapabilityMissing as error:
        told["open_solutions"] = {"told": str(error)}
    try:
        open_jail("full", LIMITS)
        told["full"] = {"told": "opened"}
    except CapabilityMissing as error:
        told["full"] = {"told": error.name}
    return told


if __name__ == "__main__":
    main()
