"""``tour lab``: run a command in it, fetch kernels for it, list them."""

from __future__ import annotations

from pathlib import Path

from tour.cli.output import say, tell
from tour.i18n import default_language, local, t


def run_in_lab(command: list[str], kernel: str, timeout: float, out: str, cpus: int = 0) -> int:
    """Run ``command`` in the lab; returns its exit code. Raises CapabilityMissing, TimedOut."""
    from tour.lab.boot import Options
    from tour.lab.command import run
    from tour.lab.qemu import Shape

    options = Options(kernel=kernel, out=Path(out) if out else None, shape=Shape(cpus=cpus), progress=_say)
    return run(command, timeout=timeout, options=options)


def fetch_kernels(version: str) -> int:
    """Fetch the kernel ``version``, all that are to be had if it is ''. Raises CapabilityMissing, UsageError."""
    from tour.lab.fetch import SUITES, fetch

    for name in [version] if version else SUITES:
        found = fetch(name, _say)
        tell(t(default_language(), "cli.lab_kernel", version=found.version, place=found.modules))
    return 0


def list_kernels() -> int:
    """Every kernel the lab could boot, one a line, oldest first."""
    from tour.lab.fetch import SUITES
    from tour.lab.kernel import known

    lang = default_language()
    found = known()
    for kernel in found:
        tell(t(lang, "cli.lab_kernel", version=kernel.version, place=kernel.modules))
    if not found:
        tell(t(lang, "cli.lab_no_kernel"))
    say(t(lang, "cli.lab_more", names=", ".join(SUITES)))
    return 0


def _say(text: str) -> None:
    say(local(default_language(), text))
