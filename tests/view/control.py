"""The control plane's true events, told by hand stage by stage: what its panels are drawn and tested with."""

from __future__ import annotations

import struct

from tests.view.story import HVA, prediction
from tour.lesson.moment import Badge, CheckView, Lang, Moment, Phase, TimelineView, VaryView
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.trace.timeline import Timeline

STAGES = ("nothing", "open", "own", "refused", "features", "map", "table", "vrings", "bells", "given", "attach")
REGIONS = [{"gpa": 0, "size": 0x20000, "hva": HVA[0]}, {"gpa": 0x40000, "size": 0x80000, "hva": HVA[1]}]
OFFERED, DEVICE, DRIVER, TOLD = 0x33D008000, 0x130010821 | 1 << 15, 0x100008021, 0x100008000


class Control:
    """Tells the stages one after another. ``device`` is kernel or embedded; ``release`` decides the worker's form."""

    def __init__(self, device: str = "kernel", release: str = "6.1.0") -> None:
        self.device, self.release = device, release
        self.timeline = Timeline()
        ticks = iter(range(0, 10**12, 12_000))
        self.recorder = Recorder(self.timeline.append, clock=lambda: next(ticks))
        self.tell(ev.Hello(2, 2, "0.1", device, release, "none", "2", "2026-11-22T15:00:00Z"), "tour")

    def tell(self, data: ev.AnyPayload, actor: ev.Actor = "control", source: ev.Source | None = None) -> None:
        """One event, folded."""
        self.recorder.emit(data, actor=actor, source=source)
        if self.recorder.dropped:
            raise self.recorder.dropped[0][1]

    def ioctl(self, name: str, arg: dict[str, object], errno: str | None = None, **out: object) -> None:
        """One call of vhost's."""
        fd = 7 if self.device == "kernel" else -1
        self.tell(ev.Ioctl(name, 0xAF00, fd, arg, struct.pack("<I", 1).hex(), -1 if errno else 0, errno, dict(out)))

    def until(self, stage: str) -> Control:
        """Every stage before ``stage``."""
        for name in STAGES[: STAGES.index(stage)]:
            self.step(name)
        return self

    def step(self, stage: str) -> Control:
        """One stage as a step."""
        self.tell(ev.Step("2", stage, "begin"), "tour")
        getattr(self, stage)()
        self.tell(ev.Step("2", stage, "end", "done"), "tour")
        return self

    def nothing(self) -> None:
        pass

    def open(self) -> None:
        if self.device == "kernel":
            self.tell(ev.Syscall("openat", ["AT_FDCWD", '"/dev/vhost-net"', "O_RDWR|O_CLOEXEC"], 7))
        else:
            self.tell(ev.Opened("embedded"))

    def own(self) -> None:
        self.ioctl("VHOST_SET_OWNER", {})
        form = "ours" if self.device == "embedded" else "kthread" if self.release.startswith("6.1.") else "thread"
        found = [ev.Found(4712, "vhost-4711")]
        processes = ev.Looked("/proc", 71, 72, found) if form == "kthread" else ev.Looked("/proc", 71, 71)
        tasks = ev.Looked("/proc/self/task", 3, 3) if form == "kthread" else ev.Looked("/proc/self/task", 3, 4, found)
        self.tell(ev.Threads([tasks, processes], 4712), "device", "observer")
        self.tell(ev.Worker("vhost-4711", 4712, form, "S"), "device", "observer")

    def refused(self) -> None:
        self.ioctl("VHOST_SET_FEATURES", {"features": 1 << 60}, "EOPNOTSUPP")

    def features(self) -> None:
        self.ioctl("VHOST_GET_FEATURES", {}, features=OFFERED)
        self.tell(ev.Features("device", DEVICE))
        self.tell(ev.Features("driver", DRIVER), "driver")
        self.ioctl("VHOST_SET_FEATURES", {"features": TOLD})

    def map(self) -> None:
        self.tell(ev.Region(0, 0x0, 0x20000, HVA[0], 5, 0))
        self.tell(ev.Region(1, 0x40000, 0x80000, HVA[1], 6, 0))

    def table(self) -> None:
        self.ioctl("VHOST_SET_MEM_TABLE", {"regions": REGIONS})

    def vrings(self) -> None:
        for queue, base in ((1, 0x1000), (0, 0x8000)):
            self.tell(ev.RingPlace(queue, 8, base, base + 0x80, base + 0xA0), "driver")
            self.ioctl("VHOST_SET_VRING_NUM", {"index": queue, "num": 8})
            self.ioctl("VHOST_SET_VRING_BASE", {"index": queue, "num": 0})
            at = HVA[0] + base
            parts = {"desc": at, "avail": at + 0x80, "used": at + 0xA0}
            self.ioctl("VHOST_SET_VRING_ADDR", {"index": queue, "flags": 0, **parts, "log": 0})

    def bells(self) -> None:
        for queue in (1, 0):
            for at, name in enumerate(("kick", "call", "err")):
                fd = 15 - 3 * queue + at
                self.tell(ev.Syscall("eventfd2", ["0", "EFD_CLOEXEC|EFD_NONBLOCK"], fd))
                self.tell(ev.Doorbell(queue, name, fd))

    def given(self) -> None:
        for queue in (1, 0):
            for at, name in enumerate(("KICK", "CALL", "ERR")):
                self.ioctl(f"VHOST_SET_VRING_{name}", {"index": queue, "fd": 15 - 3 * queue + at})
        self.tell(ev.Kick(1, 12, 1), "driver")

    def attach(self) -> None:
        self.tell(ev.Peer("tap0", "02:00:00:00:00:02", "10.0.2.2", "02::1", "10.0.2.1", True), "network")
        self.ioctl("VHOST_NET_SET_BACKEND", {"index": 1, "fd": 20}, "ENOTSOCK")
        for queue in (0, 1):
            self.ioctl("VHOST_NET_SET_BACKEND", {"index": queue, "fd": 8})


TEXT = {
    "en": "vhost knows only what it is told. Each call adds one thing, and what was not told stays unknown. Watch "
    "which line changes, and which do not.",
    "zh": "vhost 只知道被告知的事。每个调用增加一件；没有告知的仍然不知道。请看哪一行变了，哪些没有变。",
}


def moment(
    stage: str, phase: Phase = "observe", lang: Lang = "en", device: str = "kernel", *, show: str = "vhost",
    release: str = "6.1.0", asked: bool = False,
) -> Moment:  # fmt: skip
    """A moment of the control plane: before the stage's events while predicting, after them later."""
    told = Control(device, release).until(stage)
    before = told.timeline.edge
    done = phase not in ("orient", "predict", "do")
    if done:
        told.step(stage)
    timeline = told.timeline
    marks = tuple((mark.position, mark.step) for mark in timeline.marks if not mark.end)
    kind = "kernel" if device == "kernel" else "embedded"
    return Moment(
        lang, "2", {"en": "Open and own", "zh": "打开与归属"}[lang], STAGES, STAGES.index(stage), phase,
        state=timeline.edge, before=before, badge=Badge(kind, release),  # type: ignore[arg-type]
        timeline=TimelineView(len(timeline), len(timeline), marks), show=show, actor="control", text=TEXT[lang],
        refs=("vhost_dev_ioctl(), drivers/vhost/vhost.c@6.1",) if done else (),
        prediction=prediction(lang, settled=done, struck=False) if asked else None,
        checks=(CheckView("vhost has an owner", "owner == 1", True if done else None),),
        varies=(VaryView("vary", "own it twice", "", True),), next_text="Enter", next_code="",
    )  # fmt: skip
