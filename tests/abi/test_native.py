"""The compiled functions on real memory, and system calls that are refused."""

from __future__ import annotations

import errno
import mmap
import os
import threading
from collections.abc import Iterator

import pytest

from tour.abi import libc, native
from tour.abi.names import TunIoctl

pytestmark = pytest.mark.requires("embedded")


@pytest.fixture
def page() -> Iterator[mmap.mmap]:
    with mmap.mmap(-1, 4096) as pages:
        yield pages


def test_words_are_little_endian_in_memory(page: mmap.mmap) -> None:
    at, lib = native.address_of(page), native.lib()
    lib.vt_store_release_u16(at, 0x1234)
    lib.vt_store_relaxed_u16(at + 2, 0x5678)
    lib.vt_store_relaxed_u32(at + 4, 0x89ABCDEF)
    lib.vt_store_relaxed_u64(at + 8, 0x0123456789ABCDEF)
    assert page[:16].hex() == "34127856efcdab89efcdab8967452301"  # noqa: ISC001 - one group a word
    assert lib.vt_load_acquire_u16(at) == 0x1234
    assert lib.vt_load_relaxed_u16(at + 2) == 0x5678
    assert lib.vt_load_relaxed_u32(at + 4) == 0x89ABCDEF
    assert lib.vt_load_relaxed_u64(at + 8) == 0x0123456789ABCDEF


def test_a_value_that_does_not_fit_is_refused(page: mmap.mmap) -> None:
    with pytest.raises(OverflowError):
        native.lib().vt_store_relaxed_u16(native.address_of(page), 1 << 16)
    assert page[:2] == b"\0\0"


def test_peek_is_a_copy_and_poke_writes(page: mmap.mmap) -> None:
    at = native.address_of(page)
    native.poke(at + 100, b"abc")
    seen = native.peek(at + 100, 3)
    page[100:103] = b"xyz"
    assert seen == b"abc"


def test_the_mapping_can_be_closed_after_its_address_was_taken() -> None:
    pages = mmap.mmap(-1, 4096)
    native.address_of(pages)
    pages.close()
    assert pages.closed


def test_or_and_swap_lose_no_bit_between_threads(page: mmap.mmap) -> None:
    at, lib = native.address_of(page), native.lib()
    taken = 0

    def set_bits(which: int) -> None:
        for _ in range(2000):
            lib.vt_or_u8(at + which, 1 << which)

    threads = [threading.Thread(target=set_bits, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken |= lib.vt_swap_u64(at)
    taken |= lib.vt_swap_u64(at)
    assert taken == sum(1 << 9 * i for i in range(8))
    assert page[:8] == bytes(8)


def test_ioctl_gives_the_errno_and_the_bytes() -> None:
    left, right = os.pipe()
    try:
        os.write(right, b"12345")
        answer = native.ioctl(left, 0x541B, bytes(4))  # FIONREAD
        assert int.from_bytes(answer, "little") == 5
        with pytest.raises(OSError) as refused:
            native.ioctl(left, TunIoctl.TUNGETIFF, bytes(40))
        assert refused.value.errno == errno.ENOTTY
    finally:
        os.close(left)
        os.close(right)


def test_copy_in_of_an_unmapped_address_is_efault_not_a_crash(page: mmap.mmap) -> None:
    page[:4] = b"live"
    assert native.copy_in(native.address_of(page), 4) == b"live"
    for address in (0, 0x1000, 1 << 47, (1 << 64) - 4096):
        with pytest.raises(OSError) as refused:
            native.copy_in(address, 16)
        assert refused.value.errno == errno.EFAULT


def test_libc_refusals_carry_the_errno() -> None:
    with pytest.raises(OSError) as refused:
        libc.setns(-1)
    assert refused.value.errno == errno.EBADF
    with pytest.raises(OSError) as refused:
        libc.mount("none", "/nonexistent", "tmpfs")
    assert refused.value.errno in (errno.ENOENT, errno.EPERM)
    with pytest.raises(OSError) as refused:
        libc.unshare(0x1)
    assert refused.value.errno == errno.EINVAL


def test_thread_name() -> None:
    names: list[str] = []

    def named() -> None:
        libc.set_thread_name("vhost-12345678901234")
        with open(f"/proc/self/task/{threading.get_native_id()}/comm") as file:
            names.append(file.read())

    thread = threading.Thread(target=named)
    thread.start()
    thread.join()
    assert names == ["vhost-123456789\n"]
