"""Sentences of the control plane: what a call means, why it was refused, what came of it; none of them generic."""

from __future__ import annotations

from typing import get_args

import pytest

from tour.abi.names import VhostIoctl
from tour.i18n import Lang, strings
from tour.trace import events as ev
from tour.trace.state import State
from tour.view.words import sentence

LANGS: tuple[Lang, ...] = get_args(Lang)
REGION = {"gpa": 0x40000, "size": 0x80000, "hva": 0x7F20C8000000}
ARGS: dict[str, dict[str, object]] = {
    "VHOST_GET_FEATURES": {}, "VHOST_SET_FEATURES": {"features": 0x100008000}, "VHOST_SET_OWNER": {},
    "VHOST_RESET_OWNER": {}, "VHOST_SET_MEM_TABLE": {"regions": [REGION, REGION]},
    "VHOST_SET_VRING_NUM": {"index": 1, "num": 8}, "VHOST_SET_VRING_BASE": {"index": 1, "num": 7},
    "VHOST_GET_VRING_BASE": {"index": 1},
    "VHOST_SET_VRING_ADDR": {"index": 1, "flags": 0, "desc": 0x7F0000001000, "avail": 2, "used": 3, "log": 0},
    "VHOST_SET_VRING_KICK": {"index": 1, "fd": 9}, "VHOST_SET_VRING_CALL": {"index": 0, "fd": 10},
    "VHOST_SET_VRING_ERR": {"index": 1, "fd": 11}, "VHOST_SET_LOG_BASE": {"hva": 0x7F0000001000},
    "VHOST_SET_LOG_FD": {"fd": 12}, "VHOST_NET_SET_BACKEND": {"index": 1, "fd": 8},
    "VHOST_GET_BACKEND_FEATURES": {}, "VHOST_SET_BACKEND_FEATURES": {"features": 2},
    "VHOST_SET_VRING_BUSYLOOP_TIMEOUT": {"index": 1, "num": 50},
}  # fmt: skip
OUT: dict[str, dict[str, object]] = {
    "VHOST_GET_FEATURES": {"features": 0x33D008000},
    "VHOST_GET_VRING_BASE": {"num": 7},
}


def ioctl(name: str, errno: str | None = None, **arg: object) -> ev.Ioctl:
    return ev.Ioctl(name, VhostIoctl[name].value, 7, {**ARGS[name], **arg}, "", -1 if errno else 0, errno,
                    OUT.get(name, {}))  # fmt: skip


def said(data: ev.AnyPayload, lang: Lang = "en") -> str:
    return sentence(ev.Event(0, 0, "control", "control", data), State(), lang)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", ARGS)
def test_every_call_of_the_contract_has_a_sentence_of_its_own(name: str, lang: Lang) -> None:
    text = said(ioctl(name), lang)
    assert name in text and "{" not in text and "it returned" not in text and "返回" not in text


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("fd", [9, -1])
@pytest.mark.parametrize("name", [name for name, arg in ARGS.items() if "fd" in arg])
def test_a_descriptor_given_is_not_one_taken_away(name: str, fd: int, lang: Lang) -> None:
    text = said(ioctl(name, fd=fd), lang)
    assert ("-1" in text) is (fd == -1) and ("9" in text) is (fd == 9)


REFUSALS = [key.removeprefix("view.say.errno.").split(".") for key in strings("en") if "say.errno.VHOST" in key]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("name", "errno"), REFUSALS, ids=".".join)
def test_a_refusal_says_its_errno_and_what_that_means_from_this_call(name: str, errno: str, lang: Lang) -> None:
    text = said(ioctl(name, errno), lang)
    assert f"{errno}, {strings('en')[f'view.say.errno.{name}.{errno}']}" in text or lang == "zh"
    assert name in text and errno in text and strings(lang)[f"view.say.errno.{name}.{errno}"] in text


def test_an_errno_nobody_foresaw_is_still_named() -> None:
    assert said(ioctl("VHOST_SET_OWNER", "ENOMEM")) == "The control plane called VHOST_SET_OWNER. Refused: ENOMEM."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (ioctl("VHOST_GET_FEATURES"), "feature word 0x33d008000, 8 bits set"),
        (ioctl("VHOST_SET_FEATURES"), "VERSION_1, MRG_RXBUF, 0x100008000"),
        (ioctl("VHOST_SET_FEATURES", features=0), "in use: none, 0x0"),
        (ioctl("VHOST_SET_MEM_TABLE"), "2 regions: GPA 0x40000, 512 KiB, is at HVA 0x7f20c8000000;"),
        (ioctl("VHOST_SET_MEM_TABLE", regions=[REGION]), "1 region: GPA 0x40000"),
        (ioctl("VHOST_SET_MEM_TABLE", regions=[]), "without a region"),
        (ioctl("VHOST_SET_MEM_TABLE", regions=[REGION] * 9), "; and more"),
        (ioctl("VHOST_SET_VRING_ADDR"), "(HVA): descriptors 0x7f0000001000, available 0x2, used 0x3"),
        (ev.Syscall("openat", ["AT_FDCWD", '"/dev/vhost-net"', "O_RDWR"], 7), "opened /dev/vhost-net: fd 7."),
        (ev.Syscall("openat", ["AT_FDCWD", '"/dev/kvm"', "O_RDWR"], -1, "EACCES"), "Refused: EACCES, this user may"),
        (ev.Syscall("eventfd2", ["0", "EFD_NONBLOCK"], 9), "a counter that begins at 0: fd 9."),
        (ev.Syscall("socket", ["AF_INET", "SOCK_DGRAM", "0"], 12), "made a socket (AF_INET, SOCK_DGRAM): fd 12."),
        (ev.Syscall("ioctl", ["5", "TUNSETIFF", '{"tap0", IFF_TAP}'], 0), 'made fd 5 the other end of a network'),
        (ev.Syscall("getsockopt", ["5", "SOL_SOCKET", "SO_TYPE"], -1, "ENOTSOCK"), "ENOTSOCK, that descriptor is no"),
        (ev.Syscall("pipe2", ["[16, 17]", "O_CLOEXEC"], 0), "made a pipe: fds 16, 17."),
        (ev.Syscall("ioctl", ["5", "TUNSETVNETHDRSZ", "[12]"], 0), "before each frame is: 12 bytes."),
        (ev.Syscall("sysinfo", ["x"], 0), "called sysinfo(x): it returned 0."),
        (ev.Opened("embedded"), "no file was opened and no system call was made."),
        (ev.Features("device", 1 << 32 | 1 << 5), "offers to the driver: VERSION_1, MAC (0x100000020)."),
        (ev.Threads([ev.Looked("/proc", 70, 71, [ev.Found(90, "vhost-66")])], 90), "tid 90. The worker is a kernel"),
        (ev.Threads([ev.Looked("/proc/self/task", 3, 4, [ev.Found(90, "vhost-66")])], 90), "a thread of this process"),
        (ev.Threads([ev.Looked("/proc", 70, 71, [ev.Found(90, "kworker")])]), "shows a new vhost thread"),
        (ev.Region(0, 0, 0x20000, 0x7F00, 3, 0), "vhost was not told by that."),
        (ev.Doorbell(1, "kick", 9), "vhost does not know it yet."),
    ],
)  # fmt: skip
def test_a_sentence_says_what_the_event_carries(data: ev.AnyPayload, words: str) -> None:
    assert words in said(data)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(
    "data",
    [
        ioctl("VHOST_SET_MEM_TABLE", regions=5), ioctl("VHOST_SET_MEM_TABLE", regions=[3, {"gpa": "x"}]),
        ioctl("VHOST_SET_FEATURES", features=-1), ioctl("VHOST_SET_VRING_NUM", index="x"), ev.Features("driver", -1),
        ev.Ioctl("VHOST_SET_VRING_NUM", 1, 7, {}, "", 0), ev.Ioctl("ODD", 1, 7, {"a": [1]}, "", 0),
        ev.Ioctl("VHOST_GET_FEATURES", 1, 7, {}, "", 0), ev.Syscall("", [], 0), ev.Syscall("ioctl", ["1"], 0),
        ev.Threads([], 7), ev.Holders("/dev/kvm", 1, 2), ev.Translated(1 << 64, -1, fault="odd"),
    ],
    ids=str,
)  # fmt: skip
def test_whatever_an_event_carries_there_is_a_sentence(data: ev.AnyPayload, lang: Lang) -> None:
    assert len(said(data, lang)) > 4
