"""What may be chosen of a guest, and what it takes to boot one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shape:
    """A guest to be.

    ``socket`` is the path of the vhost-user server, '' for none; ``serve`` has it take commands from its console
    instead of a person; ``memory`` in MiB; ``programs`` are copied into it beside BusyBox; ``extra`` are further words
    of a command line (of the kernel's for user-mode Linux, of QEMU's otherwise).
    """

    socket: str = ""
    serve: bool = True
    memory: int = 256
    programs: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Boot:
    """A command line, what its environment has besides ours, after how many silent seconds it counts as stuck, and
    QEMU's accelerator ('' for user-mode Linux)."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    quiet: float = 10.0
    accelerator: str = ""
