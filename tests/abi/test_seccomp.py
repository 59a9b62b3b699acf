"""The system call filter's numbers are the headers', and its program says what it should for every call."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from tour.abi import seccomp

HEADERS = {
    "x86_64": [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")],
    "aarch64": [Path("/usr/include/asm-generic/unistd.h"), Path("/usr/include/aarch64-linux-gnu/asm/unistd_64.h")],
}
LATER = {"memfd_secret", "process_madvise", "mount_setattr"}
"""Newer than some headers."""


def numbers(machine: str) -> dict[str, int]:
    text = "".join(path.read_text() for path in HEADERS[machine] if path.exists())
    return {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}


@pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])
def test_the_numbers_are_the_headers(machine: str, column: int) -> None:
    known = numbers(machine)
    if not known:
        pytest.skip(f"no headers for {machine} here")
    ours = {name: pair[column] for name, pair in seccomp.DENIED.items()}
    ours |= {"clone": seccomp.CLONE[column], "clone3": seccomp.CLONE3[column]}
    for name, number in ours.items():
        if number is None:
            assert name not in known, name
        elif name in known or name not in LATER | {"clone3"}:
            assert known.get(name) == number, name


def verdict(code: bytes, arch: int, number: int, arg0: int = 0) -> int:
    """What the filter returns: a small interpreter of the instructions it uses."""
    data = struct.pack("<IIQQ", number, arch, 0, arg0)
    at = value = 0
    while True:
        op, yes, no, k = struct.unpack_from("<HBBI", code, 8 * at)
        at += 1
        if op == seccomp.LD_ABS:
            value = struct.unpack_from("<I", data, k)[0]
        elif op == seccomp.RET:
            return int(k)
        else:
            hit = {seccomp.JEQ: value == k, seccomp.JGE: value >= k, seccomp.JSET: bool(value & k)}[op]
            at += yes if hit else no


@pytest.mark.parametrize("machine", seccomp.ARCHES)
def test_every_call_gets_its_verdict(machine: str) -> None:
    arch, column = seccomp.ARCHES[machine]
    code = seccomp.program(machine)
    denied = {pair[column] for pair in seccomp.DENIED.values()}
    for number in range(600):
        said = verdict(code, arch, number, seccomp.CLONE_THREAD)
        if number in denied:
            assert said == seccomp.RET_ERRNO | 1, number
        elif number == seccomp.CLONE3[column]:
            assert said == seccomp.RET_ERRNO | 38
        else:
            assert said == seccomp.RET_ALLOW, number
    assert verdict(code, arch, seccomp.CLONE[column], 17) == seccomp.RET_ERRNO | 1, "a process, not a thread"
    assert verdict(code, arch, seccomp.X32 + 39) == seccomp.RET_ERRNO | 1
    assert verdict(code, arch ^ 1, 39) == seccomp.RET_KILL


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(OSError, match="no system call filter for riscv64"):
        seccomp.program("riscv64")
