"""Fetching a kernel: the real apt against a small repository of our own, signed with a key made for it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import require
from tour.errors import CapabilityMissing, UsageError
from tour.lab import fetch, kernel
from tour.lab.fetch import SUITES

SUITE = SUITES["newest"]


def probe_apt() -> None:
    """Raises CapabilityMissing unless packages and a repository can be made here."""
    for program in ("apt-get", "apt-ftparchive", "dpkg-deb", "gpg"):
        if not shutil.which(program):
            raise CapabilityMissing("apt", f"{program} is not installed.", "", "sudo apt-get install apt-utils gnupg")


class Repository:
    """A Debian repository below ``folder`` with one suite; ``keyring`` holds the key it is signed with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dist = folder / "debian/dists" / SUITE
        self.binary = self.dist / "main/binary-amd64"
        self.keyring = folder / "keyring.gpg"
        self.binary.mkdir(parents=True)
        (folder / "gpg").mkdir(mode=0o700)
        self.gpg("--passphrase", "", "--quick-gen-key", "tests@example.org", "rsa2048", "sign", "never")
        self.gpg("--output", str(self.keyring), "--export")

    def gpg(self, *arguments: str) -> None:
        home = str(self.folder / "gpg")
        subprocess.run(["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", *arguments],
                       check=True, capture_output=True)  # fmt: skip

    def add(self, name: str, depends: str = "", files: tuple[str, ...] = ()) -> None:
        """Build a package with empty files."""
        root = self.folder / "build" / name
        control = f"Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: a\nDescription: a\n"
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(control + (f"Depends: {depends}\n" if depends else ""))
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).touch()
        pool = self.folder / "debian/pool"
        pool.mkdir(exist_ok=True)
        subprocess.run(["dpkg-deb", "-b", str(root), str(pool / f"{name}.deb")], check=True, capture_output=True)

    def publish(self, version: str) -> None:
        """A kernel of ``version`` in two packages below the one that names it, indexed and signed."""
        shutil.rmtree(self.folder / "build", ignore_errors=True)
        shutil.rmtree(self.folder / "debian/pool", ignore_errors=True)
        modules = f"usr/lib/modules/{version}"
        self.add("linux-image-amd64", f"linux-base, linux-image-{version}")
        self.add(f"linux-image-{version}", f"linux-binary-{version} (= 1), linux-modules-{version} (= 1)")
        self.add(f"linux-binary-{version}", files=(f"{modules}/vmlinuz",))
        self.add(f"linux-modules-{version}", files=(f"{modules}/kernel/drivers/vhost/vhost_net.ko",))
        index = self.archive("packages", "pool", cwd=self.folder / "debian")
        (self.binary / "Packages").write_bytes(index)
        self.sign()

    def archive(self, *arguments: str, cwd: Path) -> bytes:
        return subprocess.run(["apt-ftparchive", *arguments], cwd=cwd, check=True, capture_output=True).stdout

    def sign(self) -> None:
        (self.dist / "InRelease").unlink(missing_ok=True)
        options = ("-o", f"APT::FTPArchive::Release::Suite={SUITE}")
        release = self.archive(*options, "release", ".", cwd=self.dist)
        (self.dist / "Release").write_bytes(release)
        self.gpg("--yes", "--output", str(self.dist / "InRelease"), "--clear-sign", str(self.dist / "Release"))
        (self.dist / "Release").unlink()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    require("apt", probe_apt)
    return Repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture
def repository(made: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fetch, "_mirror", lambda: f"file:{made.folder}/debian")
    monkeypatch.setattr(fetch, "KEYRINGS", (str(made.keyring),))
    made.publish("7.9.1-amd64")
    return made


def names() -> list[str]:
    return sorted(path.name for path in kernel.fetched().iterdir())


def test_a_kernel_in_several_packages_is_fetched_and_chosen_by_its_version(repository: Repository) -> None:
    said: list[str] = []
    found = fetch.fetch("newest", said.append)
    assert found.version == "7.9.1-amd64"
    assert kernel.find_kernel("newest") == kernel.find_kernel("7.9") == found
    assert found in kernel.known()
    assert names() == [".lock", "newest"]
    assert any("unpacking, 0 %" in line for line in said)


def test_what_is_there_is_not_fetched_again_and_what_is_newer_replaces_it(repository: Repository) -> None:
    fetch.fetch("newest", lambda _: None)
    shutil.rmtree(repository.folder / "debian/pool")
    assert fetch.fetch("newest", lambda _: None).version == "7.9.1-amd64"
    repository.publish("7.10.0-amd64")
    assert fetch.fetch("newest", lambda _: None).version == "7.10.0-amd64"
    assert [each.version for each in kernel.known() if "7." in each.version] == ["7.10.0-amd64"]


@pytest.mark.parametrize("spoilt", ["index", "package", "key", "mirror"])
def test_what_is_not_debians_is_refused_and_nothing_is_kept(
    repository: Repository, spoilt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if spoilt == "index":
        index = repository.binary / "Packages"
        index.write_bytes(index.read_bytes().replace(b"Maintainer: a", b"Maintainer: b"))
    elif spoilt == "package":
        package = next((repository.folder / "debian/pool").glob("linux-binary-*"))
        package.write_bytes(package.read_bytes().replace(b"data.tar", b"DATA.tar"))
    elif spoilt == "key":
        other = Repository(repository.folder / "other")
        monkeypatch.setattr(fetch, "KEYRINGS", (str(other.keyring),))
    else:
        monkeypatch.setattr(fetch, "_mirror", lambda: f"file:{repository.folder}/nowhere")
    with pytest.raises(CapabilityMissing, match="could not be fetched") as caught:
        fetch.fetch("newest", lambda _: None)
    assert caught.value.why.removeprefix("apt says: ")
    assert "tour lab fetch newest" in caught.value.fix
    assert names() == [".lock"]


def test_what_a_killed_fetch_left_is_swept_and_an_interrupt_leaves_nothing(repository: Repository) -> None:
    (kernel.fetched() / ".fetch-old/lists").mkdir(parents=True)

    def interrupt(words: str) -> None:
        if "kernel's packages" in words:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch.fetch("newest", interrupt)
    assert names() == [".lock"]


def test_no_mirror_no_keys_no_apt_no_room_and_no_such_kernel_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    get = functools.partial(fetch.fetch, "newest", lambda _: None)
    with pytest.raises(UsageError, match="no kernel '9.9'"):
        fetch.fetch("9.9", lambda _: None)
    monkeypatch.setattr(fetch, "KEYRINGS", ())
    with pytest.raises(CapabilityMissing, match="Debian's keys"):
        get()
    monkeypatch.setattr(fetch, "KEYRINGS", ("/",))
    ubuntu = subprocess.CompletedProcess([], 0, "http://example.org/ubuntu/ Ubuntu Ubuntu\n")
    monkeypatch.setattr(fetch.subprocess, "run", lambda *_, **__: ubuntu)
    with pytest.raises(CapabilityMissing, match="No Debian mirror"):
        get()
    monkeypatch.setattr(fetch.shutil, "which", lambda _: None)
    with pytest.raises(CapabilityMissing, match="which this machine lacks"):
        get()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="No kernel can be kept"):
        get()


def test_a_kernel_not_fetched_yet_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for wanted in ("newest", "6.99"):
        with pytest.raises(CapabilityMissing) as caught:
            kernel.find_kernel(wanted)
        assert caught.value.fix == f"tour lab fetch {wanted}"


@pytest.mark.skipif(not os.path.exists("/etc/apt"), reason="no apt here")
def test_the_mirror_is_the_machines_own() -> None:
    require("apt", probe_apt)
    assert fetch._mirror().startswith(("http", "mirror", "file", "copy", "cdrom"))
