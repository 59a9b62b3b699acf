"""How much a student's code may take."""

from __future__ import annotations

import msgspec

MIB = 1 << 20


class Limits(msgspec.Struct, frozen=True):
    """Seconds of processor time and of the clock a call may take, bytes of address space and of a file, open files,
    and how many bytes of its output are kept."""

    cpu_seconds: float = 20.0
    wall_seconds: float = 10.0
    memory: int = 768 * MIB
    file_size: int = 16 * MIB
    open_files: int = 32
    output: int = 1 << 16

    def scaled(self, factor: float) -> Limits:
        """The same with the times of a machine that is ``factor`` times slower."""
        cpu, wall = self.cpu_seconds * factor, self.wall_seconds * factor
        return msgspec.structs.replace(self, cpu_seconds=cpu, wall_seconds=wall)


def resource_limits(limits: Limits, tasks: int) -> dict[str, tuple[int, int]]:
    """Soft and hard limits by their names in ``resource``; ``tasks`` is how many threads there may be."""
    cpu = max(1, round(limits.cpu_seconds))
    even = {
        "RLIMIT_AS": limits.memory, "RLIMIT_FSIZE": limits.file_size, "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_NPROC": tasks, "RLIMIT_STACK": 8 * MIB, "RLIMIT_MEMLOCK": MIB, "RLIMIT_CORE": 0,
    }  # fmt: skip
    return {"RLIMIT_CPU": (cpu, cpu + 1)} | {name: (value, value) for name, value in even.items()}
