"""The lab's parts that need no machine: module order, archive, job, the filter of its streams, what is missing."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import require
from tour.errors import CapabilityMissing, UsageError
from tour.lab import accelerator, cache, kernel, modules, qemu, vmlinux
from tour.lab.command import Outlet
from tour.lab.initramfs import FILE, FOLDER, BootFiles, pack
from tour.lab.script import Job

MARK = b"0123456789abcdef00112233445566ff"


@pytest.fixture
def tools() -> kernel.Tools:
    require("lab")
    return kernel.find_tools()


def test_every_module_comes_after_what_it_depends_on(tools: kernel.Tools) -> None:
    order = modules.load_order(tools.kernel)
    names = [module.name for module in order]
    assert {"vhost_net", "vhost", "tun", "9p", "virtio_mmio", "virtio_console"} <= set(names)
    assert len(names) == len(set(names))
    for index, module in enumerate(order):
        assert {name.replace("-", "_") for name in modules.dependencies(module.data)} <= set(names[:index])


def test_dependencies_are_those_that_modinfo_tells(tools: kernel.Tools) -> None:
    for module in modules.load_order(tools.kernel):
        path = next(tools.kernel.modules.rglob(f"{module.name}.ko*"))
        told = subprocess.run(["/usr/sbin/modinfo", "-F", "depends", path], capture_output=True, text=True, check=True)
        assert modules.dependencies(module.data) == [name for name in told.stdout.strip().split(",") if name]


def test_a_module_the_kernel_lacks_is_named(tools: kernel.Tools) -> None:
    with pytest.raises(CapabilityMissing, match="no module no_such_thing"):
        modules.load_order(tools.kernel, ["no_such_thing"])


def test_the_kernel_inside_the_image_has_a_pvh_entry(tools: kernel.Tools) -> None:
    elf = vmlinux.extract(tools.kernel.image)
    assert elf is not None
    assert vmlinux.has_pvh_entry(elf)
    assert not vmlinux.has_pvh_entry(tools.busybox.read_bytes())


def test_the_archive_is_one_that_cpio_reads(tmp_path: Path, tools: kernel.Tools) -> None:
    archive = pack([("a", FOLDER, b""), ("a/one", FILE, b"1"), ("a/four", FILE, b"4444"), ("none", FILE, b"")])
    subprocess.run([tools.busybox, "cpio", "-idm"], input=archive, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "a/one").read_bytes() == b"1"
    assert (tmp_path / "a/four").read_bytes() == b"4444"
    assert (tmp_path / "none").read_bytes() == b""


WORD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(WORD, max_size=4), WORD)
def test_words_and_variables_reach_the_command_unchanged(words: list[str], value: str) -> None:
    argv = ["printf", "%s\\0", *words, value]
    job = Job(argv, Path("/"), {"TOUR_X": value}, MARK.decode())
    script = job.text().split(f"<<'{job.mark}'\n")[1].split(f"\n{job.mark}\n")[0]
    script = script.replace(shlex.join(argv), shlex.join(argv[:-1]) + ' "$TOUR_X"')
    told = subprocess.run(["/bin/sh"], input=script.encode(), capture_output=True, check=True).stdout
    assert told == b"".join(word.encode() + b"\0" for word in (*words, value))


class Sink:
    """A machine in so far as an Outlet needs one."""

    def watch(self, *_: object) -> None:
        pass


class Port:
    def fileno(self) -> int:
        return -1


@given(
    st.lists(st.sampled_from([b"0", b"01", MARK[:31], b"x", b"", MARK[:16], b"\n"]), max_size=12), st.integers(1, 40)
)
def test_all_but_the_mark_passes_however_it_is_cut(parts: list[bytes], size: int) -> None:
    told = b"".join(parts).replace(MARK, b"")
    outlet = Outlet(Sink(), Port(), -1, MARK)  # type: ignore[arg-type]
    stream = io.BytesIO(told + MARK)
    passed = b""
    while data := stream.read(size):
        assert not outlet.done
        passed += outlet.feed(data)
    assert outlet.done
    assert passed == told


def test_a_line_is_not_held_back() -> None:
    outlet = Outlet(Sink(), Port(), -1, MARK)  # type: ignore[arg-type]
    assert outlet.feed(b"hello\n") == b"hello\n"


def test_without_qemu_the_apt_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CapabilityMissing) as caught:
        kernel.find_tools()
    assert caught.value.name == "lab"
    assert caught.value.fix.startswith("sudo apt-get install qemu-system-x86")


def test_a_folder_without_a_kernel_is_said(tmp_path: Path) -> None:
    with pytest.raises(CapabilityMissing, match="No kernel with vhost_net"):
        kernel.find_kernel(str(tmp_path))
    with pytest.raises(CapabilityMissing, match="no folder"):
        kernel.find_kernel(str(tmp_path / "absent"))


@pytest.mark.parametrize("where", ["lib/modules/6.9.1/kernel", "usr/lib/modules/6.9.1/kernel"])
@pytest.mark.parametrize("image", ["boot/vmlinuz-6.9.1", "{modules}/vmlinuz"])
def test_a_kernel_is_found_in_each_place_a_package_has(tmp_path: Path, where: str, image: str) -> None:
    folder = tmp_path / where / "drivers/vhost"
    folder.mkdir(parents=True)
    (folder / "vhost_net.ko.xz").touch()
    path = tmp_path / image.format(modules=Path(where).parent)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    found = kernel.find_kernel(str(tmp_path))
    assert (found.version, found.image) == ("6.9.1", path)


def test_the_newest_kernel_is_taken(tmp_path: Path) -> None:
    for version in ("6.9.1", "6.12.0"):
        folder = tmp_path / "lib/modules" / version
        (folder / "kernel/drivers/vhost").mkdir(parents=True)
        (folder / "kernel/drivers/vhost/vhost_net.ko").touch()
        (folder / "vmlinuz").touch()
    assert kernel.find_kernel(str(tmp_path)).version == "6.12.0"


def test_the_cache_keeps_few_and_whole_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for number in range(cache.KEPT + 3):
        assert cache.keep(f"some-{number}", lambda number=number: bytes([number])).read_bytes() == bytes([number])  # type: ignore[misc]
    cache.keep("other-1", lambda: b"")
    assert len(list(cache.folder().glob("some-*"))) == cache.KEPT
    assert len(list(cache.folder().iterdir())) == cache.KEPT + 1
    assert cache.keep("other-1", lambda: pytest.fail("was made again")).read_bytes() == b""


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vhost-tour").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="cannot keep its boot files"):
        cache.keep("some-1", lambda: b"")


def test_kvm_that_failed_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(accelerator.ENV, raising=False)
    monkeypatch.setattr(accelerator, "DEVICE", device)
    assert accelerator.candidates() == ["kvm", "tcg"]
    accelerator.kvm_failed()
    assert accelerator.candidates() == ["tcg"]
    monkeypatch.setattr(accelerator, "BOOT_ID", tmp_path / "another")
    (tmp_path / "another").write_text("next boot\n")
    assert accelerator.candidates() == ["kvm", "tcg"]


def test_a_comma_in_a_folder_name_survives_qemus_options(tmp_path: Path) -> None:
    files = BootFiles(Path("k"), Path("i"))
    ports = {"in": 3, "out": 4, "err": 5, "control": 6}
    argv = qemu.command_line(Path("qemu"), files, "tcg", ports, Path("/a,b"), qemu.Shape())
    assert any("path=/a,,b," in word for word in argv)
    assert os.fspath(argv[0]) == "qemu"
