"""Exit code 3: what this machine lacks is said, with what mends it; what may be replaced is."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import tour
from tests.support import ROOT, in_own_network
from tour.abi import libc

embedded = pytest.mark.requires("embedded")
NO_KERNEL = pytest.mark.skipif(os.path.exists("/dev/vhost-net"), reason="this machine has /dev/vhost-net")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
AS_NOBODY = str(ROOT / "tests" / "agent" / "as_nobody.py")


@embedded
@NO_KERNEL
@pytest.mark.parametrize("words", [["run", "8", "--json"], ["start", "8", "--plain"]])
def test_the_kernel_asked_for_where_there_is_none(words: list[str]) -> None:
    told, said = tour(*words, "--device", "kernel", code=3)
    assert "/dev/vhost-net cannot be opened." in said and "sudo modprobe vhost_net" in said
    assert "Step" not in told


@embedded
@NO_KERNEL
def test_required_by_the_environment_is_asked_for() -> None:
    _, said = tour("run", "8", code=3, TOUR_REQUIRE="tun, kernel")
    assert "/dev/vhost-net" in said
    tour("run", "8", "--device", "replay", TOUR_REQUIRE="kernel")


@embedded
@NO_KERNEL
def test_without_being_asked_for_it_is_told_and_the_embedded_device_runs() -> None:
    told, _ = tour("run", "8")
    assert "embedded device" in told and "sudo modprobe vhost_net" in told


@embedded
@AS_ROOT
@in_own_network
def test_vhost_net_without_permission() -> None:
    for device, minor in (("vhost-net", 238), ("net/tun", 200)):
        node = Path("/mnt") / device.replace("/", "-")
        if not node.parent.is_mount():
            libc.mount("nodes", "/mnt", "tmpfs")
        os.mknod(node, 0o600 | 0o020000, os.makedev(10, minor))
    Path("/mnt/net").mkdir()
    Path("/mnt/net-tun").rename("/mnt/net/tun")
    for name in ("null", "zero", "urandom", "random", "full"):
        Path(f"/mnt/{name}").touch()
        libc.mount(f"/dev/{name}", f"/mnt/{name}", "", libc.MS_BIND)
    libc.mount("/mnt", "/dev", "", libc.MS_BIND | libc.MS_REC)
    python = nobody_python()
    drop = (sys.executable, "-c", DROP, python, "-m", "tour.cli")
    _, said = tour("run", "8", "--device", "kernel", argv=drop, code=3, PYTHONPATH=nobody_path())
    assert "/dev/vhost-net cannot be opened." in said and "usermod -aG kvm" in said
    told, _ = tour("run", "8", argv=drop, PYTHONPATH=nobody_path())
    assert "usermod -aG kvm" in told, "why not the kernel"
    assert "No tap: the other end is a small responder of ours" in told
    assert "open of /dev/net/tun says EACCES" in told and "To mend it:" in told
    _, said = tour("run", "8", argv=drop, code=3, PYTHONPATH=nobody_path(), TOUR_REQUIRE="tun")
    assert "TOUR_REQUIRE names tun" in said and "EACCES" in said


DROP = (
    "import os, sys; from tour.abi import libc; libc.prctl(4, 1);"
    "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534); libc.prctl(4, 1);"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def nobody_path() -> str:
    """Where an ordinary user's Python finds us and what we need."""
    import msgspec

    return os.pathsep.join([str(ROOT), str(Path(msgspec.__file__).parents[1])])


@functools.cache
def nobody_python() -> str:
    """A Python that an ordinary user may run with all we need, or the test is skipped."""
    for python in (sys.executable, "/usr/bin/python3"):
        test = [sys.executable, "-c", DROP, python, "-c", "import msgspec, typer, tour.abi._native"]
        env = {**os.environ, "PYTHONPATH": nobody_path()}
        if subprocess.run(test, capture_output=True, env=env, timeout=30, check=False).returncode == 0:
            return python
    pytest.skip("no Python here that an ordinary user may run with all that is needed")


@embedded
@AS_ROOT
@pytest.mark.requires("tun")
def test_an_ordinary_user_gets_a_real_tap() -> None:
    argv = (sys.executable, AS_NOBODY, nobody_python(), "-m", "tour.cli")
    told, _ = tour("run", "8", argv=argv, PYTHONPATH=nobody_path(), TOUR_REQUIRE="tun,embedded")
    assert "real network stack behind a tap" in told and "Every check held." in told


@embedded
@AS_ROOT
def test_namespaces_forbidden() -> None:
    argv = (sys.executable, AS_NOBODY, "--forbid", nobody_python(), "-m", "tour.cli")
    told, _ = tour("run", "8", argv=argv, PYTHONPATH=nobody_path())
    assert "No tap: the other end is a small responder of ours" in told and "Every check held." in told
    assert "sudo sysctl -w user.max_user_namespaces=15000" in told
    _, said = tour("run", "8", argv=argv, code=3, PYTHONPATH=nobody_path(), TOUR_REQUIRE="tun")
    assert "no network namespace" in said and "sudo sysctl" in said


@embedded
@AS_ROOT
def test_a_lesson_that_needs_a_tap_is_replayed_where_there_is_none() -> None:
    argv = (sys.executable, AS_NOBODY, "--forbid", nobody_python(), "-m", "tour.cli")
    told, said = tour("run", "7", argv=argv, PYTHONPATH=nobody_path())
    assert "own recording is replayed" in said and "sudo sysctl" in said
    assert "Replayed:" in told and "Every check held." in told
    for words, required in ((["run", "7"], "tun"), (["run", "7", "--device", "embedded"], "")):
        _, said = tour(*words, argv=argv, code=3, PYTHONPATH=nobody_path(), TOUR_REQUIRE=required)
        assert "sudo sysctl" in said
    told, _ = tour("doctor", argv=argv, code=3, PYTHONPATH=nobody_path(), TOUR_REQUIRE="tun")
    assert "sudo sysctl -w user.max_user_namespaces=15000" in told


@pytest.mark.parametrize("words", [["run", "8", "--lab"], ["lab", "run", "--", "true"]])
def test_vm_tools_missing(tmp_path: Path, words: list[str]) -> None:
    _, said = tour(*words, code=3, PATH=str(tmp_path))
    assert "apt-get install" in said and "qemu-system" in said


def test_the_compiled_part_missing() -> None:
    hidden = (sys.executable, "-c", HIDE, "-m")
    told, said = tour("run", "8", argv=hidden)
    assert "recording is replayed" in said and "apt-get install" in said and "Replayed" in told
    for words, env in ((["run", "8", "--device", "embedded"], ""), (["run", "8"], "embedded"), (["run", "8"], "tun")):
        _, said = tour(*words, argv=hidden, code=3, TOUR_REQUIRE=env)
        assert "compiled part" in said and "apt-get install" in said


HIDE = "import sys; sys.modules['tour.abi._native'] = None; del sys.argv[1];from tour.cli.entry import main; main()"
