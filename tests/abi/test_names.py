"""The table of facts: encoded right, cited, and the same as the headers of this machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tour.abi import names
from tour.abi.names import Fact, Feature, VhostIoctl, describe, ioc, word_of

TABLES: list[type[Fact]] = [names.VhostIoctl, names.TunIoctl, names.TunFlag, names.TunOffload, names.Feature]
FACTS = [pytest.param(fact, id=fact.name) for table in TABLES for fact in table]
HEADERS = Path("/usr/include")


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_says_where_it_comes_from(fact: Fact) -> None:
    assert re.fullmatch(r"linux/\w+\.h", fact.header)
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?", fact.since)
    assert fact.cite == "" or re.fullmatch(r"virtio v1\.3 \d+(\.\d+)*", fact.cite)


@pytest.mark.parametrize(
    ("fact", "number"),
    [
        (VhostIoctl.VHOST_SET_OWNER, 0xAF01),
        (VhostIoctl.VHOST_GET_FEATURES, 0x8008AF00),
        (VhostIoctl.VHOST_SET_MEM_TABLE, 0x4008AF03),
        (VhostIoctl.VHOST_SET_VRING_ADDR, 0x4028AF11),
        (VhostIoctl.VHOST_GET_VRING_BASE, 0xC008AF12),
        (VhostIoctl.VHOST_NET_SET_BACKEND, 0x4008AF30),
        (names.TunIoctl.TUNSETIFF, 0x400454CA),
    ],
)
def test_numbers_seen_in_strace_of_other_programs(fact: Fact, number: int) -> None:
    assert fact == number


def test_no_number_has_two_names() -> None:
    for table in TABLES:
        assert len({int(fact) for fact in table}) == len(table.__members__), table


def test_ioc_puts_each_part_in_its_bits() -> None:
    assert ioc(3, 0xFF, 0xFF, 0x3FFF) == 0xFFFFFFFF
    assert ioc(1, 0, 0, 0) == 1 << 30
    assert ioc(0, 0, 0, 1) == 1 << 16


def test_describe_names_every_bit_and_hides_none() -> None:
    word = 0x33D008000  # what VHOST_GET_FEATURES of Linux 6.1 says
    assert describe(word) == [
        "VIRTIO_NET_F_MRG_RXBUF",
        "VIRTIO_F_NOTIFY_ON_EMPTY",
        "VHOST_F_LOG_ALL",
        "VHOST_NET_F_VIRTIO_NET_HDR",
        "VIRTIO_RING_F_INDIRECT_DESC",
        "VIRTIO_RING_F_EVENT_IDX",
        "VIRTIO_F_VERSION_1",
        "VIRTIO_F_ACCESS_PLATFORM",
    ]
    assert describe(1 << 63) == ["bit 63"]
    assert describe(0) == []


def test_word_of_and_on_agree() -> None:
    word = word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_NET_F_MRG_RXBUF)
    assert word == 1 << 32 | 1 << 15
    assert [bit for bit in Feature if bit.on(word)] == [Feature.VIRTIO_NET_F_MRG_RXBUF, Feature.VIRTIO_F_VERSION_1]


def test_every_vhost_net_ioctl_of_the_header_is_in_the_table() -> None:
    header = HEADERS / "linux" / "vhost.h"
    if not header.exists():
        pytest.skip("no linux/vhost.h here")
    defined = set(re.findall(r"#define (VHOST_\w+)\s+_IO", header.read_text()))
    ours = {fact.name for fact in VhostIoctl}
    other_devices = {name for name in defined if re.match(r"VHOST_(SCSI|VSOCK|VDPA)_", name)}
    assert defined - other_devices <= ours


@pytest.mark.parametrize("fact", FACTS)
def test_what_the_headers_lack_is_newer_than_they_are(fact: Fact) -> None:
    header, version = HEADERS / fact.header, HEADERS / "linux" / "version.h"
    if not header.exists() or not version.exists():
        pytest.skip(f"no {fact.header} here")
    (code,) = re.findall(r"LINUX_VERSION_CODE (\d+)", version.read_text())
    at_hand = int(code) >> 16, int(code) >> 8 & 0xFF
    since = tuple(int(part) for part in fact.since.split(".")[:2])
    defined = re.search(rf"#\s*define\s+{fact.name}\b", header.read_text())
    assert defined or since > at_hand
