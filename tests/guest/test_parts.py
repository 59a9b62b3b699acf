"""What a guest is made of: programs, packages, the archive it boots, its command line. No guest boots here."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from tests.support import require
from tour.cli.guest import GuestOptions, guest
from tour.errors import AgentLost, CapabilityMissing, CheckFailed, UsageError
from tour.guest import initramfs, parts, qemu, start, trials
from tour.guest.machine import Done, Guest
from tour.guest.server import Server
from tour.guest.shape import Boot, Shape
from tour.lab.initramfs import PROGRAM
from tour.lab.modules import Module


def test_every_package_that_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path="": "" if name in ("linux.uml", "iperf3") else "/bin/true")
    with pytest.raises(CapabilityMissing) as caught:
        parts.find(("linux.uml", "busybox", "iperf3"), "uml")
    assert caught.value.name == "uml" and caught.value.exit_code == 3
    assert caught.value.fix == "sudo apt-get install user-mode-linux iperf3"


def test_user_mode_linux_without_its_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "linux.uml"
    program.write_text("#!/bin/sh\necho 1.2.3\n")
    program.chmod(0o755)
    monkeypatch.setattr(parts, "UML_MODULES", tmp_path)
    with pytest.raises(CapabilityMissing, match="without its modules"):
        parts.uml_kernel(program)
    (tmp_path / "1.2.3").mkdir()
    assert parts.uml_kernel(program).version == "1.2.3"


def test_a_program_comes_with_the_libraries_it_loads() -> None:
    found = parts.with_libraries(Path("/bin/sh").resolve())
    assert any(name.endswith("libc.so.6") for name in found) and any("ld-linux" in name for name in found)
    assert not any(name.startswith("/") for name in found)


def test_the_archive_has_folders_before_what_is_in_them(tmp_path: Path) -> None:
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"it")
    found = initramfs.entries({"busybox": busybox, "iperf3": Path("/bin/sh").resolve()}, [Module("virtio_net", b"m")])
    names = [name for name, _, _ in found]
    assert all(str(Path(name).parent) in (".", *names[: names.index(name)]) for name in names)
    content = {name: (mode, data) for name, mode, data in found}
    assert content["bin/busybox"] == (PROGRAM, b"it")
    assert content["order"][1] == b"virtio_net\n" and content["modules/virtio_net.ko"][1] == b"m"
    assert content["init"][1].startswith(b"#!/bin/busybox sh\n")


def test_a_command_is_one_line_that_no_terminal_cuts() -> None:
    assert base64.b64decode(initramfs.line("echo 'a\nb'")) == b"echo 'a\nb'"
    assert initramfs.line("x" * 3000).count(b"\n") == 1 and len(initramfs.line("x" * 3000)) <= 4095
    with pytest.raises(UsageError):
        initramfs.line("x" * 3001)


@pytest.mark.parametrize("machine", ["microvm", "q35"])
def test_qemus_command_line_shares_its_memory_and_has_no_msi_x(machine: str) -> None:
    files = Path("/k"), Path("/i")
    argv = qemu.command_line(Path("/q"), *files, Shape("/a,b/s", serve=False), machine, "tcg")
    words = " ".join(argv)
    assert f"-M {machine},memory-backend=m" in words and "memory-backend-memfd,id=m,share=on,size=256M" in words
    assert "socket,id=c,path=/a,,b/s,reconnect=1" in words
    assert ("vectors=0,disable-legacy=on" in words) == (machine == "q35")
    assert initramfs.SERVE not in words
    with pytest.raises(UsageError, match="There is no machine"):
        qemu.boot(Shape(), "pc")


def test_what_iperf3_says() -> None:
    assert trials.tcp_rate(Done(0, '{"end": {"sum_received": {"bits_per_second": 5.5}}}')) == 5.5
    for text in ("", "[]", '{"end": {}, "error": "unable to connect"}'):
        assert not trials.done_well(Done(1, text))
        with pytest.raises(CheckFailed):
            trials.tcp_rate(Done(1, text))


def boot(script: str, quiet: float = 5.0) -> Boot:
    """A shell in a guest's place."""
    return Boot(("/bin/sh", "-c", script), quiet=quiet)


@pytest.mark.requires("namespaces")
def test_a_guest_that_gives_up_ends_or_falls_silent_is_told_of() -> None:
    with Guest(boot("echo 'tour-guest: fail no network card'; sleep 9")) as it, pytest.raises(AgentLost) as gave_up:
        it.come_up()
    assert gave_up.value.why == "It says: no network card."
    with Guest(boot("echo panic; exit 3")) as it, pytest.raises(AgentLost) as ended:
        it.come_up()
    assert "code 3" in ended.value.why and ended.value.why.endswith("panic")
    with Guest(boot("echo 'tour-guest: init'; exec sleep 9", 0.3)) as it, pytest.raises(Exception, match="come up"):
        it.come_up()
    assert "init" in it.stages and "ready" not in it.stages


@pytest.mark.requires("namespaces")
def test_an_alarm_ends_the_waiting() -> None:
    def alarm() -> None:
        raise AgentLost("The vhost-user server has ended.")

    with Guest(boot("exec sleep 9"), alarm=alarm) as it, pytest.raises(AgentLost, match="server"):
        it.come_up()


def test_an_emulated_boot_that_fell_silent_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    require("namespaces")
    boots = [boot("exec sleep 9", 0.2), boot("echo 'tour-guest: ready'; exec sleep 9")]
    tcg = [Boot(each.argv, quiet=each.quiet, accelerator="tcg") for each in boots]
    monkeypatch.setattr(qemu, "boot", lambda shape, machine, kernel: tcg.pop(0))
    with start.start("qemu", Shape()) as it:
        assert "ready" in it.stages and not tcg


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"kind": "xen"}, "There is no guest"),
        ({"kind": "uml", "trials": ("tcp",)}, "There is no trial"),
        ({"kind": "uml", "trials": ("ping",), "command": "ls"}, "Only one of --run and --exec"),
        ({"kind": "uml", "memory": 1}, "--memory takes"),
        ({"kind": "uml", "socket": "/nowhere/s"}, "There is no socket"),
        ({"kind": "uml", "command": "x" * 4000}, "at most 3000 bytes"),
    ],
)
def test_wrong_usage_is_refused_before_anything_starts(options: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        guest(GuestOptions(lang="en", **options))  # type: ignore[arg-type]


@pytest.mark.requires("embedded", "tun")
def test_a_server_that_cannot_start_leaves_anothers_socket_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with Server(str(path)) as first:
        with pytest.raises(AgentLost, match="did not start") as caught:
            Server(str(path))
        assert "Another server listens" in caught.value.why
        assert path.is_socket() and not first.ended.is_set()
    assert not path.exists() and not Path(f"{path}.watch").exists()
