"""User-mode Linux and QEMU on our device: they boot, have an address, ping, and carry TCP both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strangers.ground import serving
from tests.support import members, namespace_of, require
from tour.errors import UsageError
from tour.guest import initramfs, parts, trials
from tour.guest.machine import Done, Guest
from tour.guest.shape import Shape
from tour.guest.start import start

pytestmark = pytest.mark.requires("embedded", "tun")

PROGRAMS = {"uml": ("linux.uml", "busybox"), "qemu": ("qemu-system-x86_64", "busybox"), "iperf3": ("iperf3",)}
GUESTS = [("uml", "microvm"), ("qemu", "microvm"), ("qemu", "q35")]
SECONDS = 1.0
LEAST = 10e6
"""Bits per second that no working stream stays below, however busy the machine."""


def need(*names: str) -> None:
    """Skip, or fail, without these."""
    for name in names:
        require(name, lambda name=name: parts.find(PROGRAMS[name], name))  # type: ignore[misc]
        if name == "qemu":
            require("lab")


@pytest.mark.parametrize(("kind", "machine"), GUESTS, ids=lambda word: word)
def test_a_guest_boots_pings_and_carries_tcp_both_ways(tmp_path: Path, kind: str, machine: str) -> None:
    need(kind, "iperf3")
    with serving(tmp_path, "--exec", trials.PEER) as ours:
        shape = Shape(ours.server.path, programs=("iperf3",))
        with start(kind, shape, machine=machine) as guest:
            space = namespace_of(guest.pid, "pid")
            address = guest.run("ip -o addr show dev eth0")
            assert f"{initramfs.GUEST_IP}/24" in address.text
            before = ours.tap()
            assert trials.ping(guest, 5) == trials.Ping(5, 5, pytest.approx(0, abs=1000))
            after = ours.tap()
            assert after.sent - before.sent >= 5 and after.received - before.received >= 5
            assert trials.tcp(guest, SECONDS) > LEAST
            outwards = ours.tap()
            assert trials.tcp(guest, SECONDS, inwards=True) > LEAST
            inwards = ours.tap()
            # Its own counters and the tap's: every packet that one side counted, the other did as well.
            sent, received = counted(guest)
        assert outwards.sent > after.sent + 100 and inwards.received > outwards.received + 100
        assert abs(sent - inwards.sent) <= 8 and abs(received - inwards.received) <= 8
        ours.await_note("serve.front_end_left")
    assert not members(space), "the guest left a process"


def counted(guest: Guest) -> tuple[int, int]:
    """Packets the guest's card sent and received, by its own driver's count."""
    words = guest.run("cat /sys/class/net/eth0/statistics/tx_packets /sys/class/net/eth0/statistics/rx_packets")
    sent, received = words.text.split()
    return int(sent), int(received)


def test_one_server_serves_one_guest_after_another(tmp_path: Path) -> None:
    need("uml")
    with serving(tmp_path) as ours:
        shape = Shape(ours.server.path)
        for round_ in range(1, 4):
            with start("uml", shape) as guest:
                assert trials.ping(guest, 2).received == 2
            ours.await_note("serve.front_end_left", round_)
            if round_ == 1:
                kept = ours.descriptors()
        assert ours.descriptors() == kept


def test_a_guest_on_the_python_gear(tmp_path: Path) -> None:
    need("uml")
    with serving(tmp_path, "--gear", "python") as ours, start("uml", Shape(ours.server.path)) as guest:
        assert trials.ping(guest, 3).received == 3


def test_a_commands_words_come_and_go_unchanged(tmp_path: Path) -> None:
    need("uml")
    with serving(tmp_path) as ours, start("uml", Shape(ours.server.path)) as guest:
        assert guest.run("echo \"it's  two\"; echo 中文; printf '%s' last; exit 7") == Done(
            7, "it's  two\n中文\nlast\n"
        )
        assert guest.run("true") == Done(0, "")
        with pytest.raises(UsageError):
            guest.run("x" * 4000)
        assert guest.run("echo still here").text == "still here\n"
