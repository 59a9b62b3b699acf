"""What stands in a cell: the Python that the harness needs, and nothing else of this system."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tour.agent.spawn import ROOT
from tour.errors import TourError

INSIDE = "import sys; sys.path += sys.argv[1:]; from tour.judge import inside; inside."
UNUSED = ("site-packages", "dist-packages", "test", "idlelib", "ensurepip")
"""In the standard library's folder, but no part of it, or of no use."""
SHORT_WAYS = ("/lib", "/lib64", "/bin", "/usr/lib64")
INTERPRETER = re.compile(rb"\0(/[\w/.-]*/ld[\w.-]*)\0")


class Parts(NamedTuple):
    """What is to be seen, what in it is not, links, where modules are looked for, where libraries lie."""

    shown: list[str]
    hidden: list[str]
    links: dict[str, str]
    path: list[str]
    libraries: str


def python() -> str:
    """The interpreter itself, past every link and virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


@cache
def parts() -> Parts:
    """What the harness needs of this system, learnt from one that runs. Raises TourError when it does not."""
    where = [str(ROOT), *(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))]
    argv = [python(), "-I", "-S", "-B", "-c", f"{INSIDE}tell()", *where]
    done = subprocess.run(argv, capture_output=True, env={"LANG": "C.UTF-8"}, timeout=60)
    if done.returncode:
        raise TourError("The harness does not start.", done.stderr.decode(errors="replace")[-500:])
    told = json.loads(done.stdout)
    library = str(Path(os.__file__).resolve().parent)
    shown = {library, python(), *(_package(name, where) for name in told["modules"] if not name.startswith(library))}
    shown |= {name for name in told["mapped"] if not any(name.startswith(f"{folder}/") for folder in shown)}
    libraries = {name for name in told["mapped"] if ".so" in name}
    folders = ":".join(sorted({os.path.dirname(name) for name in libraries}))
    return Parts(sorted(shown), [f"{library}/{name}" for name in UNUSED], _links(libraries), where, folders)


def _links(libraries: Iterable[str]) -> dict[str, str]:
    """The short ways of a merged /usr, the libraries' other names, and the interpreter's that the kernel looks for."""
    links = {name: os.readlink(name) for name in SHORT_WAYS if os.path.islink(name)}
    for name in libraries:
        for entry in os.scandir(os.path.dirname(name)):
            if entry.is_symlink() and os.path.realpath(entry.path) == name:
                links[entry.path] = name
    with open(python(), "rb") as file:
        found = INTERPRETER.search(file.read(8192))
    if found and os.path.islink(loader := found[1].decode()):
        links[f"{os.path.realpath(os.path.dirname(loader))}/{os.path.basename(loader)}"] = os.path.realpath(loader)
    return links


def _package(module: str, where: Sequence[str]) -> str:
    """The top folder or file of a module, below the folder it was found in: the innermost, where one holds another."""
    for folder in sorted(where, key=len, reverse=True):
        real = os.path.realpath(folder)
        if module.startswith(f"{real}/"):
            return f"{real}/{module[len(real) + 1 :].split('/')[0]}"
    return module
