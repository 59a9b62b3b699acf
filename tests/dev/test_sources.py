"""Sources: their forms, and whether what they cite of Linux is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tour.dev import cites, sources
from tour.dev.sources import Cited
from tour.lesson import model

GOOD = [
    "here", "here: tx.avail.idx == 1", "virtio v1.3 2.7.13.3", "virtio v1.3 2.3, 2.7.7",
    "vhost_signal(), drivers/vhost/vhost.c@6.1", "struct vhost_memory, include/uapi/linux/vhost_types.h@6.1",
    "drivers/net/tun.c@6.1", "drivers/vhost/Kconfig@6.1 (VHOST_NET)",
    "QEMU 7.2 hw/virtio/vhost.c vhost_virtqueue_start()",
    "RFC 826", "man 2 eventfd", "lesson 12", "lesson 8:kick", "tour/scene/nic.py",
    "Stefan Hajnoczi, QEMU Internals: vhost architecture",
    "a(), read by b(), fs/eventfd.c@6.1; virtio v1.3 2.3",
]  # fmt: skip
BAD = [
    "", "somebody said so", "virtio 2.7", "virtio v1.3 2.7.99", "virtio v1.3", "vhost_signal(), drivers/vhost/vhost.c",
    "vhost signal(), drivers/vhost/vhost.c@6.1", "vhost.c@6.1", "QEMU hw/virtio/vhost.c", "tour/nowhere.py",
    "man eventfd",
]  # fmt: skip
C = """
/* vhost_comment(x) { is none } */
static int vhost_put(struct vq *vq, int x);

static bool
vhost_split(struct vq *vq)
{
	vhost_called(vq);
	return other_called();
}

void __user *vhost_pointer(int a,
	int b)
{
}
#define vq_err(vq, fmt) do { } while (0)
SYSCALL_DEFINE2(eventfd2, unsigned int, count, int, flags)
{
}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Sources of a Linux 6.1 with one file."""
    folder = tmp_path / "linux"
    (folder / "drivers/vhost").mkdir(parents=True)
    (folder / "Makefile").write_text("# SPDX\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n")
    (folder / "drivers/vhost/vhost.c").write_text(C)
    return folder


@pytest.mark.parametrize("source", GOOD)
def test_a_source_of_a_known_form(source: str) -> None:
    assert sources.faulty(source) == []


@pytest.mark.parametrize("source", BAD)
def test_a_source_of_no_form(source: str) -> None:
    assert sources.faulty(source) == [source]
    assert sources.faulty(f"here; {source}") == [source]


def test_what_is_cited() -> None:
    text = "here; a(), struct b, read by c(), net/core/dev.c@6.12; virtio v1.3 2.3; fs/eventfd.c@6.1"
    assert sources.cited(text) == [
        Cited("net/core/dev.c", "6.12", ("b",), ("a", "c")),
        Cited("fs/eventfd.c", "6.1", (), ()),
    ]


@pytest.mark.parametrize("name", ["vhost_split", "vhost_pointer", "vq_err", "eventfd2"])
def test_a_function_that_is_there(name: str) -> None:
    assert sources.defines(C, name)


@pytest.mark.parametrize("name", ["vhost_put", "vhost_called", "other_called", "vhost_comment", "vhost_poin", "vhost"])
def test_a_call_a_prototype_or_a_comment_is_no_function(name: str) -> None:
    assert not sources.defines(C, name)


def test_a_tree_is_known_by_its_makefile_or_its_name(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tree.parent / "linux-source-6.12"
    named.mkdir()
    assert sources.trees(f"{tree}:{named}:{tree.parent}/none-6.5") == {"6.1": tree, "6.12": named}
    monkeypatch.setenv("TOUR_LINUX_SOURCE", str(tree))
    assert sources.trees() == {"6.1": tree}
    monkeypatch.setenv("TOUR_LINUX_SOURCE", "")
    assert sources.trees() == {}


def test_what_is_cited_and_not_there(tree: Path) -> None:
    path = model.root() / "misconceptions.toml"
    told = [
        (path, "vhost_split(), struct vq, drivers/vhost/vhost.c@6.1; x(), a/b.c@6.4"),
        (path, "vhost_called(), struct vp, drivers/vhost/vhost.c@6.1; drivers/vhost/net.c@6.1"),
    ]
    found, unknown = cites.faults(iter(told), sources.trees(str(tree)))
    assert [each.values["name"] for each in found] == ["vp", "vhost_called()", "drivers/vhost/net.c"]
    assert {each.rule for each in found} == {"cite_missing"} and unknown == {"6.4"}
