"""Bring a machine up: prepare, start, notice that it is stuck, try again, and say all along what is happening."""

from __future__ import annotations

import compileall
import contextlib
import os
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tour.abi.libc import LAYERS_ENV
from tour.errors import CapabilityMissing
from tour.lab import accelerator, initramfs, kernel, qemu
from tour.lab.machine import Machine, Progress
from tour.lab.script import HOME, Job

ATTEMPTS = 4
QUIET = {"kvm": 5.0, "tcg": 25.0}  # seconds without a word after which a boot counts as stuck
HEARTBEAT = 1.0
PASSED = ("PATH", "HOME", "TERM", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "COLUMNS", "LINES")
PASSED_PREFIXES = ("LC_", "TOUR_", "VHOST_TOUR_", "HYPOTHESIS_")
WORDS = {
    "kernel": "the kernel is starting",
    "init": "loading the kernel's modules",
    "modules": "waiting for the serial ports",
    "job": "mounting the root",
    "root": "starting the command",
    "start": "starting the command",
}


def silent(_: str) -> None:
    """A progress callback that says nothing."""


@dataclass(frozen=True)
class Options:
    """What may be chosen of a lab.

    ``kernel`` a version, or a folder with an unpacked kernel package; ``out`` a folder the command may write;
    ``modules`` more kernel modules to load; ``log`` a descriptor that gets the console; ``progress`` is told what
    happens.
    """

    kernel: str = ""
    out: Path | None = None
    modules: tuple[str, ...] = ()
    shape: qemu.Shape = field(default_factory=qemu.Shape)
    log: int | None = None
    progress: Progress = silent


@dataclass
class Booted:
    """A machine whose command has just been started.

    ``mark`` ends its out and err ports; ``retries`` how many boots were stuck; ``seconds`` of each part.
    """

    machine: Machine
    mark: bytes
    accelerator: str
    retries: int
    seconds: dict[str, float]


def boot(argv: Sequence[str], environ: Mapping[str, str] | None, options: Options, stream: bool = False) -> Booted:
    """Boot a lab and start ``argv`` in it.

    Raises CapabilityMissing("lab") if something lacks or no boot came up, UsageError if nothing can be cached. What
    ``options.progress`` raises cancels the boot.
    """
    began = time.monotonic()
    tools = kernel.find_tools(options.kernel)
    options.progress(f"lab: preparing Linux {tools.kernel.version}")
    files = initramfs.prepare(tools, options.modules)
    job = _job(argv, environ, options, stream)
    prepared = time.monotonic() - began
    failures: list[str] = []
    for accel in _plan():
        options.progress(f"lab: starting QEMU ({'KVM' if accel == 'kvm' else 'software emulation'})")
        machine = _start(tools.qemu, files, accel, job, options)
        if _came_up(machine, accel, options.progress):
            seconds = {"prepare": prepared, **machine.stages}
            return Booted(machine, job.mark.encode(), accel, len(failures), seconds)
        failures.append(_last_words(machine))
        if machine.failure:
            break  # the init script's verdict: another boot would say the same
        options.progress(f"lab: that boot did not come up ({failures[-1]}); trying again")
    fix = "try another kernel (--kernel), or our own device (--device embedded)"
    raise CapabilityMissing("lab", "The lab did not come up.", f"Attempts: {len(failures)}. {failures[-1]}", fix)


def _last_words(machine: Machine) -> str:
    return machine.failure or machine.tail.rpartition("\n")[2] or "it said nothing"


def _plan() -> list[str]:
    """The accelerator of each attempt: KVM at most once before emulation."""
    found = accelerator.candidates()
    return [*found[:-1], *[found[-1]] * ATTEMPTS]


def _start(program: Path, files: initramfs.BootFiles, accel: str, job: Job, options: Options) -> Machine:
    """Start QEMU and put the job into its control port, where the init script will find it."""

    def argv(ports: dict[str, int]) -> list[str]:
        return qemu.command_line(program, files, accel, ports, job.out, options.shape)

    machine = Machine(argv, options.log)
    text = job.text().encode()
    with contextlib.suppress(OSError):  # QEMU refused to start: it is told by its end
        machine.ports["control"].sendall(f"{len(text)}\n".encode() + text)
    _compile_ahead()
    return machine


def _came_up(machine: Machine, accel: str, progress: Progress) -> bool:
    """Whether the machine's command has been started; if not, the machine is killed and KVM's failure remembered."""
    try:
        up = _serve(machine, QUIET[accel], progress)
    except BaseException:
        machine.kill()
        raise
    if not up:
        machine.kill()
        if accel == "kvm":
            accelerator.kvm_failed()
    return up


def _serve(machine: Machine, quiet: float, progress: Progress) -> bool:
    """Serve a machine until its command starts; False if it ends, fails or says nothing for ``quiet`` seconds."""
    said, at = "", 0.0
    while "start" not in machine.stages:
        machine.step(0.2)
        now = time.monotonic()
        if machine.ended or machine.failure or now - machine.last_heard > quiet:
            return False
        words = WORDS.get(next(reversed(machine.stages), ""), "QEMU is starting")
        if words != said or now - at >= HEARTBEAT:
            said, at = words, now
            progress(f"lab: {now - machine.started:4.1f} s  {words}")
    return True


def _job(argv: Sequence[str], environ: Mapping[str, str] | None, options: Options, stream: bool) -> Job:
    """What the lab is told; the working folder is ours."""
    cwd = Path.cwd()
    passed = (
        _inherited()
        | {"VHOST_TOUR_IP": f"{HOME}/bin/ip", "VHOST_TOUR_IN_LAB": "1", LAYERS_ENV: "vm"}
        | dict(environ or {})
    )
    needed = [cwd, *(Path(os.path.realpath(entry)) for entry in (*sys.path, sys.prefix, sys.base_prefix, *argv[:1]))]
    hide_run = not any(path.is_relative_to("/run") for path in needed)
    out = options.out.resolve() if options.out else None
    return Job(argv, cwd, passed, secrets.token_hex(16), stream, out, hide_run)


def _inherited() -> dict[str, str]:
    """The part of our environment that means the same in there."""
    return {key: value for key, value in os.environ.items() if key in PASSED or key.startswith(PASSED_PREFIXES)}


def _compile_ahead() -> None:
    """Compile our package here, while the kernel boots: in the lab it would take ten times as long."""
    compileall.compile_dir(Path(__file__).resolve().parent.parent, quiet=2, workers=1)
