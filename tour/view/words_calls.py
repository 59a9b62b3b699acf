"""Sentences about the control plane: vhost's calls, other system calls, and what came of them.

A call that succeeded is told by what it means, one that was refused by its errno and why the kernel gives it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tour.errors import MemoryFault
from tour.i18n import strings
from tour.trace import events as ev
from tour.view.features import bits_of, feature_words
from tour.view.say import Say, detail_words, size_words

REGIONS_NAMED = 3
KINDS_OF_WORKER = {"/proc": "kthread", "/proc/self/task": "task"}


def known(say: Say, key: str) -> bool:
    """Whether there is a string ``view.say.<key>``."""
    return f"view.say.{key}" in strings(say.lang)


def _refused(say: Say, call: str, name: str, errno: str) -> str:
    """Why: what the errno means from this very call, else what it means from any."""
    keys = (f"errno.{name}.{errno}", f"errno.{errno}")
    why = next((say(key) for key in keys if known(say, key)), "")
    return say("denied_why" if why else "denied", call=call, errno=errno, why=why)


# --- vhost's calls --------------------------------------------------------------------------------------------


def ioctl(say: Say, data: ev.Ioctl) -> str:
    """One call of the vhost contract."""
    if data.errno is not None:
        return _refused(say, f"{data.name} {detail_words(data.arg)}".strip(), data.name, data.errno)
    teller = _IOCTLS.get(data.name)
    if teller is None and known(say, f"ioctl.{data.name}"):
        return say(f"ioctl.{data.name}", queue=_queue(say, data.arg), **_numbers(data.arg))
    told = teller(say, data) if teller else None
    return told or say("call_ok", call=f"{data.name} {detail_words(data.arg)}".strip(), result=data.result)


def _numbers(arg: dict[str, Any]) -> dict[str, Any]:
    """What a sentence may name: small numbers decimal, addresses hexadecimal; what is missing is a dash."""
    names = ("num", "fd", "desc", "avail", "used", "hva")
    values = {name: arg.get(name, "-") for name in names}
    return {
        name: f"{value:#x}" if name not in ("num", "fd") and isinstance(value, int) else value
        for name, value in values.items()
    }


def _queue(say: Say, arg: dict[str, Any]) -> str:
    index = arg.get("index", "-")
    return say.queue(index) if isinstance(index, int) else str(index)


def _get_features(say: Say, data: ev.Ioctl) -> str | None:
    word = data.out.get("features")
    if not isinstance(word, int) or word < 0:
        return None
    return say("ioctl.VHOST_GET_FEATURES", word=f"{word:#x}", n=len(bits_of(word)))


def _set_features(say: Say, data: ev.Ioctl) -> str | None:
    word = data.arg.get("features")
    if not isinstance(word, int) or not 0 <= word < 1 << 64:
        return None
    names = feature_words(word) or say.raw("card.no_features")
    return say("ioctl.VHOST_SET_FEATURES", word=f"{word:#x}", names=names)


def _set_mem_table(say: Say, data: ev.Ioctl) -> str | None:
    regions = data.arg.get("regions")
    if not isinstance(regions, list):
        return None
    if not regions:
        return say("ioctl.VHOST_SET_MEM_TABLE.none")
    told = [part for region in regions[:REGIONS_NAMED] if (part := _region_words(say, region))]
    more = say("regions_more") if len(regions) > REGIONS_NAMED else ""
    key = "ioctl.VHOST_SET_MEM_TABLE" + (".one" if len(regions) == 1 else "")
    return say(key, n=len(regions), what=say("then").join(told) + more)


def _region_words(say: Say, region: Any) -> str:
    if not isinstance(region, dict) or not all(isinstance(region.get(key), int) for key in ("gpa", "size", "hva")):
        return ""
    return say("table_region", gpa=f"{region['gpa']:#x}", size=size_words(region["size"]), hva=f"{region['hva']:#x}")


def _get_vring_base(say: Say, data: ev.Ioctl) -> str | None:
    return say("ioctl.VHOST_GET_VRING_BASE", queue=_queue(say, data.arg), num=data.out.get("num", "-"))


def _file(say: Say, data: ev.Ioctl) -> str | None:
    """A descriptor given, or with -1 taken away."""
    away = ".away" if data.arg.get("fd") == -1 else ""
    return say(f"ioctl.{data.name}{away}", queue=_queue(say, data.arg), fd=data.arg.get("fd", "-"))


_IOCTLS: dict[str, Callable[[Say, ev.Ioctl], str | None]] = {
    "VHOST_GET_FEATURES": _get_features, "VHOST_SET_FEATURES": _set_features,
    "VHOST_SET_MEM_TABLE": _set_mem_table, "VHOST_GET_VRING_BASE": _get_vring_base, "VHOST_SET_VRING_KICK": _file,
    "VHOST_SET_VRING_CALL": _file, "VHOST_SET_VRING_ERR": _file, "VHOST_NET_SET_BACKEND": _file,
    "VHOST_SET_LOG_FD": _file,
}  # fmt: skip


# --- other system calls ---------------------------------------------------------------------------------------


def syscall(say: Say, data: ev.Syscall) -> str:
    """A system call; an ioctl of a tap by its request's name."""
    name = data.args[1] if data.name == "ioctl" and len(data.args) > 1 else data.name
    call = f"{data.name}({', '.join(data.args)})"
    if data.errno is not None:
        return _refused(say, call, name, data.errno)
    at = {"openat": 1, "ioctl": 2}.get(data.name, 0)
    args = [arg.strip('"[]') for arg in (*data.args[at:], "-", "-", "-", "-")]
    if not known(say, f"syscall.{name}"):
        return say("call_ok", call=call, result=data.result)
    fd = data.args[0] if data.args else "-"
    return say(f"syscall.{name}", a=args[0], b=args[1], c=args[2], fd=fd, result=data.result)


# --- what stands by itself ------------------------------------------------------------------------------------


def opened(say: Say, data: ev.Opened) -> str:
    """A device of ours was made: no file and no system call."""
    return say("opened", device=data.device)


def closed(say: Say, data: ev.Closed) -> str:
    """It is gone again."""
    return say("closed", device=data.device)


def features(say: Say, data: ev.Features) -> str:
    """What the network device offers, or the driver took of it."""
    word = data.word if 0 <= data.word < 1 << 64 else 0
    names = feature_words(word) or say.raw("card.no_features")
    return say(f"features.{data.whose}", word=f"{word:#x}", names=names)


def threads(say: Say, data: ev.Threads) -> str:
    """Where the worker was found, or that /proc shows none."""
    for looked in data.looked:
        for found in looked.new:
            if found.tid == data.tid and looked.folder in KINDS_OF_WORKER:
                where = say(f"threads.{KINDS_OF_WORKER[looked.folder]}")
                return say("threads", name=found.name, tid=found.tid, folder=looked.folder, before=looked.before,
                           after=looked.after, where=where) + _resting(say, found.tid)  # fmt: skip
    return say("threads_hidden" if say.state.owner else "threads_none")


def _resting(say: Say, tid: int) -> str:
    """What the thread just found was seen doing."""
    worker = say.state.worker
    known = worker.tid == tid and f"view.worker.{worker.state}" in strings(say.lang)
    return say("threads_state", words=say.raw(f"worker.{worker.state}"), state=worker.state) if known else ""


def region(say: Say, data: ev.Region) -> str:
    """Guest memory was mapped; nobody has told vhost yet. Or it is mapped no more."""
    if not data.size:
        return say("region_gone", n=data.index)
    return say("region", n=data.index, gpa=f"{data.gpa:#x}", hva=f"{data.hva:#x}", size=size_words(data.size))


def place(say: Say, data: ev.RingPlace) -> str:
    """A ring was laid out in guest memory."""
    return say("place", queue=say.queue(data.queue), num=data.num, desc=f"{data.desc:#x}", avail=f"{data.avail:#x}",
               used=f"{data.used:#x}")  # fmt: skip


def doorbell(say: Say, data: ev.Doorbell) -> str:
    """An eventfd was made; nobody has told vhost yet."""
    return say("doorbell", fd=data.fd, bell=data.doorbell, queue=say.queue(data.queue))


def worker(say: Say, data: ev.Worker) -> str:
    """The worker's state as /proc tells it."""
    words = say.raw(f"worker.{data.state}") if f"view.worker.{data.state}" in strings(say.lang) else data.state
    return say("worker", name=data.name, tid=data.tid, words=words, state=data.state)


def holders(say: Say, data: ev.Holders) -> str:
    """A file looked for among open descriptors."""
    names = say("and").join(f"{one.name} ({one.tid})" for one in data.found)
    key = "holders" if data.found else "holders_none"
    return say(key, n=data.processes, fds=data.descriptors, path=data.path, names=names)


def translated(say: Say, data: ev.Translated) -> str:
    """What our own memory table answered."""
    if data.hva is not None:
        return say("translated", gpa=f"{data.gpa:#x}", size=data.size, hva=f"{data.hva:#x}")
    faults = {fault.value: fault.name.lower() for fault in MemoryFault}
    why = say.raw(f"memory_fault.{faults[data.fault]}") if data.fault in faults else data.fault
    return say("refused", gpa=f"{data.gpa:#x}", size=data.size, why=why)


TELLERS: dict[type, Callable[[Say, Any], str]] = {
    ev.Opened: opened, ev.Closed: closed, ev.Syscall: syscall, ev.Ioctl: ioctl, ev.Features: features,
    ev.Threads: threads, ev.Holders: holders, ev.Region: region, ev.Translated: translated, ev.RingPlace: place,
    ev.Doorbell: doorbell, ev.Worker: worker,
}  # fmt: skip
