"""What this machine can do for a learner, each thing found out by trying it; what each missing one costs and needs.

The names are those that TOUR_REQUIRE and CapabilityMissing use.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from tour.errors import CapabilityMissing, TourError
from tour.i18n import Lang, local, t

PATIENCE = 20.0
"""Seconds that the program which tries the tap may take."""
LEAST_SIZE = (80, 24)
OPTIONAL = ("tcpdump",)
TRIED = ("tun", "kernel", "kvm")
"""What ``tour.scene.probe`` tries."""
LAB = ("qemu", "lab_kernel", "busybox")


class Finding(msgspec.Struct, frozen=True):
    """One capability. ``detail`` is what was found, in no language (a path, a version); a missing one says ``what``
    and ``why`` in our English (``local`` has the Chinese) and has the ``fix`` to type."""

    name: str
    ok: bool
    detail: str = ""
    what: str = ""
    why: str = ""
    fix: str = ""

    @property
    def optional(self) -> bool:
        """Whether nothing in the course needs it."""
        return self.name in OPTIONAL

    def words(self, lang: Lang) -> str:
        """What was found, or what is missing and why."""
        return self.detail if self.ok else " ".join(local(lang, text) for text in (self.what, self.why) if text)

    def cost(self, lang: Lang) -> str:
        """What its absence means for a learner."""
        return t(lang, f"doctor.cost.{self.name}")


def missing(name: str, error: TourError) -> Finding:
    """The finding an error stands for."""
    return Finding(name, False, "", error.what, error.why, error.fix)


def probe() -> list[Finding]:
    """Try everything; takes a few tenths of a second. Leaves nothing behind."""
    return [python(), terminal(), compiled(), *isolated(), *lab(), tcpdump()]


def python() -> Finding:
    """The Python that runs us; one too old could not."""
    return Finding("python", True, f"{platform.python_version()} ({sys.executable})")


def terminal(env: Mapping[str, str] = os.environ) -> Finding:
    """Size, encoding, colours and TERM of standard output's terminal."""
    try:
        return Finding("terminal", True, _terminal(env.get("TERM", ""), env.get("COLORTERM", "")))
    except CapabilityMissing as error:
        return missing("terminal", error)


def _terminal(term: str, colour: str) -> str:
    """What the terminal is like. Raises CapabilityMissing where the screen cannot be drawn as it is meant."""
    source, target = sys.__stdin__, sys.__stdout__  # a screen puts its own in their place
    if source is None or target is None or not (source.isatty() and target.isatty()):
        raise CapabilityMissing("terminal", "This is not a terminal.", fix="tour start --plain")
    if term in ("", "dumb"):
        raise CapabilityMissing(
            "terminal", "This terminal cannot move its cursor.", f"TERM is '{term}'.", "tour start --plain"
        )
    size = os.get_terminal_size(target.fileno())
    if size.columns < LEAST_SIZE[0] or size.lines < LEAST_SIZE[1]:
        raise CapabilityMissing(
            "terminal", "This terminal is smaller than 80 x 24.", f"It has {size.columns} x {size.lines} cells.",
            "make the window larger, or: tour start --plain",
        )  # fmt: skip
    if "utf" not in target.encoding.lower():
        raise CapabilityMissing(
            "terminal", "This terminal's locale is not UTF-8.",
            "Lines are drawn in ASCII; Chinese cannot be shown.", "export LANG=C.UTF-8",
        )  # fmt: skip
    colours = "truecolor" if colour in ("truecolor", "24bit") else "256" if "256" in term else "16"
    return f"{size.columns} x {size.lines}, {target.encoding}, TERM={term}, {colours}"


def compiled() -> Finding:
    """The compiled part, without which nothing runs live."""
    from tour.abi import native
    from tour.agent.client import can_run_live

    error = can_run_live()
    if error is not None:
        return missing("embedded", error)
    return Finding("embedded", True, native.where())


def isolated() -> list[Finding]:
    """Namespaces, a tap in them, /dev/vhost-net and /dev/kvm as an agent there finds them."""
    if not sys.platform.startswith("linux"):
        error = CapabilityMissing("kernel", "A live run needs Linux.", f"This is {sys.platform}.", "tour start")
        return [missing(name, error) for name in ("namespaces", *TRIED)]
    try:
        layers, found = _try(degrade=False)
    except CapabilityMissing as error:
        _, found = _tried(degrade=True)
        return [missing("namespaces", error), *_all(found)]
    except TourError as error:
        return [missing(name, error) for name in ("namespaces", *TRIED)]
    return [Finding("namespaces", True, layers), *_all(found)]


Refusals = Mapping[str, list[str] | None]


def _all(found: Refusals) -> list[Finding]:
    details = {"tun": "/dev/net/tun", "kernel": f"/dev/vhost-net, Linux {platform.release()}", "kvm": "/dev/kvm"}
    return [
        Finding(name, False, "", *refusal) if (refusal := found.get(name)) else Finding(name, True, detail)
        for name, detail in details.items()
    ]


def _tried(*, degrade: bool) -> tuple[str, Refusals]:
    try:
        return _try(degrade=degrade)
    except TourError as error:
        refusal = [error.what, error.why, error.fix]
        return "", dict.fromkeys(TRIED, refusal)


def _try(*, degrade: bool) -> tuple[str, Refusals]:
    """Run ``tour.scene.probe`` where an agent would run. Raises CapabilityMissing, AgentLost, TimedOut."""
    from tour.abi.libc import LAYERS_ENV
    from tour.agent import early
    from tour.agent.spawn import spawn

    command = [sys.executable, "-P", "-m", "tour.scene.probe"]
    if early.in_lab():
        process = spawn(["env", f"{LAYERS_ENV}=vm", *command], isolate="none")
    else:
        process = spawn(command, degrade=degrade)
    with process:
        process.wait(PATIENCE)
        said = b"".join(iter(lambda: process.stream.recv(65536), b""))
        if not said:
            raise process.lost()
        return "user, net, mount, pid" if os.geteuid() else "net, mount, pid", json.loads(said)


def lab() -> list[Finding]:
    """The three pieces of a throwaway virtual machine with a real /dev/vhost-net."""
    from tour.lab import kernel

    def image() -> str:
        found = kernel.find_kernel()
        return f"Linux {found.version} ({found.image})"

    pieces: tuple[Callable[[], object], ...] = (kernel.find_qemu, image, kernel.find_busybox)
    return [_piece(name, find) for name, find in zip(LAB, pieces, strict=True)]


def _piece(name: str, find: Callable[[], object]) -> Finding:
    try:
        return Finding(name, True, str(find()))
    except CapabilityMissing as error:
        return missing(name, error)


def tcpdump() -> Finding:
    """A second look at the frames; nothing needs it."""
    found = shutil.which("tcpdump") or next((str(p) for p in [Path("/usr/sbin/tcpdump")] if p.exists()), "")
    if found:
        return Finding("tcpdump", True, found)
    error = CapabilityMissing("tcpdump", "tcpdump is not installed.", fix="sudo apt-get install tcpdump")
    return missing("tcpdump", error)


def have(findings: Iterable[Finding], name: str) -> bool:
    """Whether a capability is there; ``lab`` is all of its pieces."""
    by_name = {finding.name: finding.ok for finding in findings}
    return all(by_name.get(one, False) for one in (LAB if name == "lab" else (name,)))


def runs_on(findings: Iterable[Finding], needs: Iterable[str] = ()) -> str:
    """What a lesson that ``needs`` these would run on here: kernel, embedded or replay."""
    findings = list(findings)
    if not have(findings, "embedded") or not all(have(findings, need) for need in needs):
        return "replay"
    return "kernel" if have(findings, "kernel") and have(findings, "tun") else "embedded"
