"""What a machine can do is found out by trying; what is missing says so, what that costs, and what mends it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.bench.terminal import Terminal, plain
from tests.support import children, in_own_network
from tour.abi import libc
from tour.agent import client, probes
from tour.agent.probes import LAB, OPTIONAL, Finding, have, probe, runs_on
from tour.errors import AgentLost, CapabilityMissing
from tour.i18n import strings

NAMES = ("python", "terminal", "embedded", "namespaces", "tun", "kernel", "kvm", *LAB, *OPTIONAL)


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {one.name: one for one in findings}


def test_everything_is_looked_at_and_has_its_words() -> None:
    found = probe()
    assert tuple(one.name for one in found) == NAMES
    for one in found:
        for lang in ("en", "zh"):
            assert one.cost(lang) and f"doctor.name.{one.name}" in strings(lang)
            assert one.words(lang), "what it is, or why it is not"
        assert one.ok or one.fix or one.name in ("kernel", "kvm")
    assert children(os.getpid()) == [], "nothing is left behind"


@pytest.mark.requires("tun", "embedded")
def test_a_tap_that_can_be_made_is_found() -> None:
    found = by_name(probes.isolated())
    assert found["namespaces"].ok and found["tun"].ok and found["tun"].detail == "/dev/net/tun"
    assert found["kernel"].ok == os.path.exists("/dev/vhost-net")


@in_own_network
def test_a_tap_that_cannot_be_made_is_found_by_trying() -> None:
    """The node is there and may be opened, yet TUNSETIFF fails: it is another device's."""
    libc.mount("nodes", "/mnt", "tmpfs")
    os.mknod("/mnt/tun", 0o666 | 0o020000, os.makedev(1, 3))  # null
    libc.mount("/mnt/tun", "/dev/net/tun", "", libc.MS_BIND)
    found = by_name(probes.isolated())
    assert found["namespaces"].ok and not found["tun"].ok
    assert "TUNSETIFF" in found["tun"].what


@in_own_network
def test_a_missing_node_has_its_command() -> None:
    libc.mount("none", "/dev/net", "tmpfs")
    found = by_name(probes.isolated())
    assert not found["tun"].ok and found["tun"].fix.startswith("sudo modprobe tun")


def test_forbidden_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(argv: list[str], *, degrade: bool = False) -> object:
        if degrade:
            raise AgentLost("The agent has ended.", "really")
        raise CapabilityMissing("namespaces", "This system did not allow namespaces of our own.", "", "sudo x")

    monkeypatch.setattr("tour.agent.spawn.spawn", refuse)
    found = by_name(probes.isolated())
    assert not any(found[name].ok for name in ("namespaces", "tun", "kernel", "kvm"))
    assert found["namespaces"].fix == "sudo x" and found["tun"].what == "The agent has ended."


def test_no_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    found = by_name(probe())
    assert not any(found[name].ok for name in ("embedded", "namespaces", "tun", "kernel"))
    assert "darwin" in found["tun"].why and runs_on(found.values()) == "replay"


def test_no_compiled_part(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = CapabilityMissing("embedded", "The compiled part is missing.", "", "sudo apt-get install gcc")
    monkeypatch.setattr(client, "can_run_live", lambda: missing)
    found = probes.compiled()
    assert not found.ok and found.fix == "sudo apt-get install gcc"


def test_each_piece_of_the_lab_is_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "qemu-system-x86_64").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = by_name(probes.lab())
    assert found["qemu"].ok and not found["busybox"].ok and "apt-get install" in found["busybox"].fix
    assert not have(found.values(), "lab")


def test_tcpdump_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(Path, "exists", lambda self: False)
    found = probes.tcpdump()
    assert not found.ok and found.optional and found.fix == "sudo apt-get install tcpdump"


ASK = "from tour.agent.probes import terminal; f = terminal(); print('got', f.ok, f.words('en'), f.fix, 'end')"


@pytest.mark.parametrize(
    ("size", "env", "words"),
    [
        ((80, 24), {}, "True 80 x 24, utf-8, TERM=xterm-256color, truecolor"),
        ((79, 24), {}, "False This terminal is smaller than 80 x 24. It has 79 x 24 cells. make the window larger"),
        ((80, 23), {}, "It has 80 x 23 cells."),
        ((80, 24), {"TERM": "dumb"}, "TERM is 'dumb'. tour start --plain"),
        ((80, 24), {"PYTHONIOENCODING": "latin-1"}, "export LANG=C.UTF-8"),
        ((160, 48), {"COLORTERM": "", "TERM": "screen-256color"}, "TERM=screen-256color, 256"),
        ((160, 48), {"COLORTERM": "", "TERM": "linux"}, "TERM=linux, 16"),
    ],
)
def test_a_terminal_as_it_is(size: tuple[int, int], env: dict[str, str], words: str) -> None:
    terminal = Terminal([sys.executable, "-c", ASK], *size, env)
    try:
        terminal.until(lambda seen: "end" in plain(seen))
        assert words in " ".join(plain(terminal.seen).split())
    finally:
        terminal.close()


def test_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stdin__", None)
    found = probes.terminal()
    assert not found.ok and found.fix == "tour start --plain"


@pytest.mark.parametrize(
    ("there", "needs", "where"),
    [
        ({"embedded", "tun", "kernel"}, [], "kernel"), ({"embedded", "kernel"}, [], "embedded"),
        ({"embedded", "tun"}, [], "embedded"), ({"embedded"}, ["tun"], "replay"), ({"tun", "kernel"}, [], "replay"),
        ({"embedded", "tun", "kernel"}, ["tun"], "kernel"), (set(), [], "replay"),
    ],
)  # fmt: skip
def test_what_a_lesson_runs_on(there: set[str], needs: list[str], where: str) -> None:
    assert runs_on([Finding(name, name in there) for name in NAMES], needs) == where
