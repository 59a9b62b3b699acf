"""Kernels as Debian packages: fetched and unpacked below the user's cache folder, for the lab to boot.

apt does the work in folders of its own, so neither root nor a change of the machine's sources is needed, and apt's
signatures say that what came is Debian's. The mirror is the one of the machine's own sources.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from tour.errors import CapabilityMissing, UsageError
from tour.lab import kernel
from tour.lab.kernel import missing
from tour.lab.machine import Progress

SUITES = {"6.1": "bookworm", "6.12": "trixie", "newest": "trixie-backports"}
"""Where each kernel is to be had. The newest is whatever that suite holds."""
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")
PART = re.compile(r"linux-(?:image|binary|modules)-\d\S*")
MIRROR = re.compile(r"\S*/debian(?:\.list)?/?")
STAMP = "packages"
HEARTBEAT = 1.0
_STEPS = {
    "update": "fetching the list of packages",
    "download": "fetching the kernel's packages",
    "-x": "unpacking",
}
FOLDER_FIX = "give --kernel a folder with an unpacked kernel package"


def fetch(name: str, progress: Progress) -> kernel.Kernel:
    """Fetch and unpack the kernel ``name`` of SUITES, unless it is there and no newer is to be had.

    Raises UsageError for another name or a folder that cannot be written, CapabilityMissing("lab") with apt's own
    words when it could not be had.
    """
    if name not in SUITES:
        raise UsageError(f"There is no kernel '{name}' to fetch.", f"There are: {', '.join(SUITES)}.")
    try:
        with _workplace() as folder:
            _fetch_into(folder, name, progress)
    except OSError as error:
        raise UsageError(
            f"No kernel can be kept in {kernel.fetched()}: {error.strerror or error}.",
            fix="make room or rights there, or set XDG_CACHE_HOME to another folder",
        ) from error
    return kernel.find_kernel(str(kernel.fetched() / name))


def _fetch_into(folder: Path, name: str, progress: Progress) -> None:
    apt = Apt(folder, name, progress)
    apt.run("apt-get", "update")
    packages = apt.packages()
    place = kernel.fetched() / name
    stamp = "\n".join(packages)
    with contextlib.suppress(OSError):
        if (place / STAMP).read_text() == stamp:
            return
    apt.run("apt-get", "download", *packages)
    root = folder / "root"
    for package in sorted(folder.glob("*.deb")):
        apt.run("dpkg-deb", "-x", str(package), str(root))
    (root / STAMP).write_text(stamp)
    with contextlib.suppress(FileNotFoundError):
        place.rename(folder / "old")
    root.rename(place)


@contextlib.contextmanager
def _workplace() -> Iterator[Path]:
    """A folder beside the kernels, gone afterwards; what a killed fetch left is swept first. One fetch at a time."""
    home = kernel.fetched()
    home.mkdir(parents=True, exist_ok=True)
    with open(home / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in home.glob(".fetch-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=home, ignore_cleanup_errors=True) as folder:
            yield Path(folder)


class Apt:
    """apt with lists, cache and sources of its own below ``folder``, for the suite of the kernel ``name``."""

    def __init__(self, folder: Path, name: str, progress: Progress) -> None:
        self.folder = folder
        self.name = name
        self._progress = progress
        self._began = time.monotonic()
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise missing("Kernels are fetched with apt, which this machine lacks.", fix=FOLDER_FIX)
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        source = f"deb [arch=amd64 signed-by={_keyring()}] {_mirror()} {SUITES[name]} main\n"
        (folder / "sources.list").write_text(source)

    def options(self) -> list[str]:
        """Everything apt keeps goes below our folder; of the machine's settings the proxies and certificates stay."""
        places = {
            "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": self.folder / "cache",
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
            "APT::Sandbox::User": "root",  # its own user could not enter the cache folder of root
            "APT::Update::Error-Mode": "any",  # an old list is none
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
        }
        return [word for key, value in places.items() for word in ("-o", f"{key}={value}")]

    def packages(self) -> list[str]:
        """Package names, as the suite's linux-image-amd64 needs them, sorted. Raises CapabilityMissing("lab")."""
        found: set[str] = set()
        waiting = ["linux-image-amd64"]
        while waiting:
            command = ["apt-cache", *self.options(), "depends", "--important", waiting.pop()]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environ())
            new = {word for word in re.findall(r"Depends: (\S+)", done.stdout) if PART.fullmatch(word)} - found
            found |= new
            waiting += sorted(new)
        if not found:
            raise self._failed("linux-image-amd64")
        return sorted(found)

    def run(self, program: str, verb: str, *arguments: str) -> None:
        """Run one program to its end and tell its progress. Raises CapabilityMissing("lab") with its own words."""
        read, write = os.pipe()
        own = [*self.options(), "-o", f"APT::Status-Fd={write}"] if program == "apt-get" else []
        with open(self.folder / "errors", "w+") as errors, open(read) as status:
            process = subprocess.Popen(
                [program, *own, verb, *arguments], cwd=self.folder, env=_environ(), pass_fds=[write],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
            os.close(write)
            try:
                self._listen(status, _STEPS[verb])
                code = process.wait()
            finally:
                process.terminate()  # has ended already, unless we are interrupted
                process.wait()
            errors.seek(0)
            said = errors.read().strip()
        if code:
            raise self._failed(said.rpartition("E: ")[2])

    def _listen(self, status: Iterable[str], words: str) -> None:
        """Tell at most once in HEARTBEAT how far it is (apt's README.progress-reporting: dlstatus:n:percent:text)."""
        told = -HEARTBEAT
        for line in chain(["dlstatus:0:0:"], status):
            kind, _, percent, *_ = [*line.split(":"), "", "", ""]
            if kind == "dlstatus" and time.monotonic() - told > HEARTBEAT:
                told = time.monotonic()
                took = f"{told - self._began:4.1f}"
                self._progress(f"Linux {self.name}: {took} s  {words}, {int(float(percent))} %")

    def _failed(self, said: str) -> CapabilityMissing:
        what = f"Linux {self.name} could not be fetched from Debian's suite {SUITES[self.name]}."
        fix = f"see that this works: sudo apt-get update; then: tour lab fetch {self.name}"
        return missing(what, f"apt says: {said}", fix)


def _mirror() -> str:
    """The first Debian mirror of this machine's apt sources. Raises CapabilityMissing("lab")."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)", "Created-By: Packages"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environ())
    for line in done.stdout.splitlines():
        address, _, origin = line.partition(" ")
        if origin == "Debian Debian" or MIRROR.fullmatch(address):
            return address
    raise missing("No Debian mirror is among this machine's apt sources.", fix=FOLDER_FIX)


def _keyring() -> str:
    """Debian's public keys. Raises CapabilityMissing("lab")."""
    for path in KEYRINGS:
        if os.path.exists(path):
            return path
    fix = "sudo apt-get install debian-archive-keyring"
    raise missing("Debian's keys are not on this machine.", "What is fetched could not be verified.", fix)


def _environ() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8"}
