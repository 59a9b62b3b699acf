"""Lesson 8's true events, told by hand through a Recorder: what the view is developed and tested with."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tour.lesson.moment import (
    Badge,
    CheckView,
    ChoiceView,
    Lang,
    Moment,
    Phase,
    PredictionView,
    TimelineView,
    VaryView,
)
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.trace.timeline import Timeline

STEPS = ("frame", "describe", "entry", "publish", "kick", "device", "reap")
ARP = bytes.fromhex(
    "ffffffffffff020000000001080600010800060400010200000000010a0002010000000000000a000202"
)  # fmt: skip
HVA = {0: 0x7F20C0000000, 1: 0x7F20C8000000}


class Story:
    """Builds the timeline step by step. ``device`` is kernel or embedded; ``num`` the TX ring's size."""

    def __init__(self, device: str = "kernel", num: int = 8, base: int = 0) -> None:
        self.device, self.num, self.base = device, num, base
        self.timeline = Timeline()
        ticks = iter(range(0, 10**12, 12_000))
        self.recorder = Recorder(self.timeline.append, clock=lambda: next(ticks))
        self.set_up()

    def emit(
        self,
        data: ev.AnyPayload,
        actor: ev.Actor,
        source: ev.Source | None = None,
        *,
        inferred: bool = False,
        line: tuple[str, str] | None = None,
    ) -> None:
        """One event; ``line`` is (where, code) of the source line."""
        before = len(self.timeline)
        self.recorder.emit(data, actor=actor, source=source, inferred=inferred)
        if self.recorder.dropped:
            raise self.recorder.dropped[0][1]
        if line:
            self._with_line(before, line)

    def _with_line(self, index: int, line: tuple[str, str]) -> None:
        events = list(self.timeline.events)
        old = events[index]
        events[index] = ev.Event(old.seq, old.t, old.actor, old.source, old.data, old.inferred, *line)
        self.timeline = Timeline(events)
        self.recorder.sinks = [self.timeline.append]

    def ioctl(self, name: str, request: int, arg: dict[str, object], data: bytes, **more: object) -> None:
        """A vhost call that succeeded."""
        self.emit(ev.Ioctl(name, request, 7, arg, data.hex(), 0, None, **more), "control")  # type: ignore[arg-type]

    def set_up(self) -> None:
        kernel = self.device == "kernel"
        self.emit(ev.Hello(1, 1, "0.1", self.device, "6.12.0", "tap", "8", "2026-11-22T15:00:00Z"), "tour")
        self.emit(ev.Region(0, 0x0, 0x20000, HVA[0], 5, 0), "control")
        self.emit(ev.Region(1, 0x40000, 0x80000, HVA[1], 6, 0), "control")
        self.emit(ev.Syscall("open", ["/dev/vhost-net", "O_RDWR"], 7), "control")
        self.ioctl("VHOST_SET_OWNER", 0xAF01, {}, b"")
        self.emit(ev.Worker("vhost-4711", 4712, "thread" if kernel else "ours", "S", 0), "device", "observer")
        self.ioctl("VHOST_GET_FEATURES", 0x8008AF00, {}, b"", out={"features": 0x1033D008000},
                   out_hex=struct.pack("<Q", 0x1033D008000).hex())  # fmt: skip
        self.ioctl("VHOST_SET_FEATURES", 0x4008AF00, {"features": 0x100008000}, struct.pack("<Q", 0x100008000))
        regions = [{"gpa": 0, "size": 0x20000, "hva": HVA[0]}, {"gpa": 0x40000, "size": 0x80000, "hva": HVA[1]}]
        self.ioctl("VHOST_SET_MEM_TABLE", 0x4008AF03, {"regions": regions}, struct.pack("<II", 2, 0))
        self.place(1, self.num, 0x0)
        self.place(0, 8, 0x10000)
        for queue in (0, 1):
            self.vring(queue)
        self.emit(ev.Peer("tap0", "02:00:00:00:00:02", "10.0.2.2", "02:00:00:00:00:01", "10.0.2.1", True), "network",
                  "observer")  # fmt: skip
        for queue in (0, 1):
            self.ioctl("VHOST_NET_SET_BACKEND", 0x4008AF30, {"index": queue, "fd": 8}, struct.pack("<II", queue, 8))
        if self.base:
            self.rebase()
        self.fill_rx()

    def place(self, queue: int, num: int, base: int) -> None:
        avail = base + 16 * num
        used = (avail + 6 + 2 * num + 3) & ~3
        self.emit(ev.RingPlace(queue, num, base, avail, used), "control")

    def vring(self, queue: int) -> None:
        ring = self.timeline.edge.rings[queue]
        index, hva = {"index": queue}, HVA[0]
        self.ioctl("VHOST_SET_VRING_NUM", 0x4008AF10, {**index, "num": ring.num}, struct.pack("<II", queue, ring.num))
        self.ioctl("VHOST_SET_VRING_BASE", 0x4008AF12, {**index, "num": self.base if queue else 0}, b"\0" * 8)
        addr = {"desc": hva + ring.place_desc, "avail": hva + ring.place_avail, "used": hva + ring.place_used}
        self.ioctl("VHOST_SET_VRING_ADDR", 0x4028AF11, {**index, **addr}, b"\0" * 40)
        for doorbell, fd in (("kick", 11 - 2 * queue), ("call", 12 - 2 * queue)):
            self.emit(ev.Doorbell(queue, doorbell, fd), "control")
            name = f"VHOST_SET_VRING_{doorbell.upper()}"
            self.ioctl(name, 0x4008AF20, {**index, "fd": fd}, struct.pack("<II", queue, fd))

    def rebase(self) -> None:
        for name in ("avail_shadow", "last_used_idx"):
            self.emit(ev.Private(1, name, 0, self.base), "driver")
        self.word(1, "avail.idx", 0, self.base, "driver")
        self.word(1, "used.idx", 0, self.base, "device", "observer")
        self.emit(ev.Private(1, "last_avail_idx", 0, self.base), "device", "observer")

    def word(
        self,
        queue: int,
        field: str,
        old: int,
        new: int,
        actor: ev.Actor,
        source: ev.Source | None = None,
        line: tuple[str, str] | None = None,
    ) -> None:
        data = ev.Store(queue, field, 0, old.to_bytes(2, "little").hex(), new.to_bytes(2, "little").hex(), [old], [new])
        self.emit(data, actor, source, line=line)

    def desc(self, queue: int, index: int, addr: int, length: int, flags: int, following: int = 0) -> None:
        new = [addr, length, flags, following]
        raw = struct.pack("<QIHH", *new).hex()
        line = ("virtqueue/driver.py:61", "ring.write_desc(head, gpa, length, flags, following)")
        self.emit(ev.Store(queue, f"desc[{index}]", 16 * index, "00" * 16, raw, [0, 0, 0, 0], new), "driver", line=line)

    def fill_rx(self) -> None:
        for index in range(8):
            self.desc(0, index, 0x80000 + 0x800 * index, 2048, 2)
            self.word(0, f"avail.ring[{index}]", 0, index, "driver")
        self.word(0, "avail.idx", 0, 8, "driver")
        self.emit(ev.Kick(0, 11, 1), "driver")

    # -- the steps ---------------------------------------------------------------------------------------------

    def run(self, until: str | None = None) -> Story:
        """Every step before ``until`` (all when None)."""
        for step in STEPS:
            if step == until:
                break
            self.step(step)
        return self

    def step(self, step: str) -> None:
        actions: dict[str, Callable[[], None]] = {
            "frame": self.frame, "describe": self.describe, "entry": self.entry, "publish": self.publish,
            "kick": self.kick, "device": self.turn, "reap": self.reap,
        }  # fmt: skip
        self.emit(ev.Step("8", step, "begin"), "tour")
        actions[step]()
        self.emit(ev.Step("8", step, "end", "quiescent" if step == "device" else "done"), "tour")

    @property
    def slot(self) -> int:
        return self.base % self.num

    def frame(self) -> None:
        self.emit(ev.Write(1, 0x40000, "00" * 12, "00" * 12, "net_hdr"), "driver")
        self.emit(ev.Write(1, 0x4000C, "00" * 42, ARP.hex(), "frame"), "driver")

    def describe(self) -> None:
        self.desc(1, 0, 0x40000, 54, 0)

    def entry(self) -> None:
        line = ("virtqueue/driver.py:74", "ring.store_avail_entry(slot, head)")
        self.word(1, f"avail.ring[{self.slot}]", 0, 0, "driver", line=line)

    def publish(self) -> None:
        line = ("virtqueue/driver.py:88", "ring.store_release(AVAIL_IDX, self.avail_idx)")
        self.word(1, "avail.idx", self.base, (self.base + 1) & 0xFFFF, "driver", line=line)

    def kick(self) -> None:
        self.emit(ev.Kick(1, 9, 1), "driver", line=("virtqueue/driver.py:97", "self.doorbell.kick()"))

    def turn(self) -> None:
        if self.device == "kernel":
            self._observed_turn()
        else:
            self._told_turn()
        self.emit(ev.Packet("out", "tap", ARP.hex()), "network", "observer")

    def _observed_turn(self) -> None:
        used = (self.base + 1) & 0xFFFF
        self.emit(ev.Snapshot(1, 100, 200, 0, used, [[self.slot, 0, 0]]), "device", "observer", inferred=True)
        self.emit(ev.Private(1, "last_avail_idx", self.base, used), "device", "observer")
        self.emit(ev.Count(1, "call", 10, 1), "device", "observer")

    def _told_turn(self) -> None:
        after = (self.base + 1) & 0xFFFF
        self.emit(ev.Action("pop", 1, {"head": 0, "slot": self.slot}), "device")
        self.emit(ev.Private(1, "last_avail_idx", self.base, after), "device")
        self.emit(ev.Action("map", 1, {"gpa": 0x40000, "hva": HVA[1], "len": 54}), "device")
        self.emit(ev.Packet("out", "port", ARP.hex(), "00" * 12, 1), "device")
        zero = ev.Store(1, f"used.ring[{self.slot}]", 0, "00" * 8, "00" * 8, [0, 0], [0, 0])
        self.emit(zero, "device")
        self.word(1, "used.idx", self.base, after, "device",
                  line=("virtqueue/device.py:133", "ring.store_release(USED_IDX, self.used_idx)"))  # fmt: skip
        self.emit(ev.Call(1, 10, 1), "device")

    def reap(self) -> None:
        self.emit(ev.Drain(1, 10, 1), "driver")
        self.emit(ev.Private(1, "last_used_idx", self.base, (self.base + 1) & 0xFFFF), "driver")
        self.emit(ev.Action("reap", 1, {"head": 0, "len": 0}), "driver")


WORDS = {
    "en": {
        "title": "First packet out",
        "orient": "The entry is in the ring, yet the device may not look at it. One word decides. Watch the two idx "
        "words and the two doorbells while the driver publishes.",
        "question": "The entry is in the ring, yet the device may not look at it.\nExactly one 16-bit word must change "
        "now. Which one?",
        "choices": ("desc[0].flags", "avail.idx", "used.idx", "the kick counter"),
        "explain": "Why: the device learns of new work from this one word. Its increment publishes every entry before "
        "it, so the entry must be visible first (a release store). The device reads avail.idx with an acquire load, "
        "then the entry, then the descriptor. Nobody else writes this word, which is why no lock is needed: each word "
        "of a ring has exactly one writer. No doorbell has rung yet: a device that polls would find the work already "
        "now, and a sleeping one finds it when it is woken.",
        "refute": "The device never writes into the descriptor table.",
        "checks": ("avail.idx is 1", "avail.ring[0] is 0", "used.idx is still 0", "kick eventfd still 0 (fdinfo)"),
        "next": "kick", "vary": "forget the kick",
    },
    "zh": {
        "title": "第一个发出的数据包",
        "orient": "条目已在环中，设备却还不能看它。一个字决定一切。请看驱动发布时的两个 idx 和两只门铃。",
        "question": "条目已在环中，设备却还不能看它。\n此刻必须恰好改变一个 16 位字。是哪一个？",
        "choices": ("desc[0].flags", "avail.idx", "used.idx", "kick 计数器"),
        "explain": "为什么：设备只凭这一个字得知有新任务。它加一，就发布了它之前的所有条目，"
        "所以条目必须先可见（释放存储）。"
        "设备用获取加载读 avail.idx，再读条目，再读描述符。这个字只有一个写者，因此不需要锁：环里每个字恰有一个写者。"
        "门铃尚未响起：轮询的设备此刻已能找到任务，睡眠的设备被唤醒后才会找到。",
        "refute": "设备从不写描述符表。",
        "checks": ("avail.idx 为 1", "avail.ring[0] 为 0", "used.idx 仍为 0", "kick 的 eventfd 仍为 0（fdinfo）"),
        "next": "通知设备 (kick)", "vary": "忘记通知设备",
    },
}  # fmt: skip


def moment(
    step: str = "publish", phase: Phase = "predict", lang: Lang = "en", device: str = "kernel", *,
    num: int = 8, base: int = 0, struck: bool = False, show: str = "tx", story: Story | None = None,
) -> Moment:  # fmt: skip
    """A moment of lesson 8: before the step's event while orienting and predicting, after it later."""
    story = story or Story(device, num, base)
    story.run(until=step)
    before = story.timeline.edge
    done = phase not in ("orient", "predict", "do")
    if done:
        story.step(step)
    words = WORDS[lang]
    timeline = story.timeline
    marks = tuple((mark.position, mark.step) for mark in timeline.marks if not mark.end)
    kind = "kernel" if device == "kernel" else "embedded"
    return Moment(
        lang,
        "8",
        str(words["title"]),
        STEPS,
        STEPS.index(step),
        phase,
        state=timeline.edge,
        before=before,
        badge=Badge(kind, "vhost-net, Linux 6.12" if device == "kernel" else ""),  # type: ignore[arg-type]
        timeline=TimelineView(len(timeline), len(timeline), marks),
        show=show,
        actor={"device": "device"}.get(step, "driver"),
        text=str(words["orient"] if not done else words["explain"]),
        refs=("virtio v1.3 2.7.13.3", "vhost_get_vq_desc()", "QEMU: shadow_avail_idx") if done else (),
        prediction=prediction(lang, settled=done, struck=struck),
        checks=tuple(CheckView(str(text), "", True if done else None) for text in words["checks"]),
        varies=(VaryView("forget_kick", str(words["vary"]), "", True), VaryView("num_2", "size 2", "", True)),
        next_text=str(words["next"]),
        next_code="eventfd_write(9, 1)" if done else "",
    )


def prediction(lang: Lang, *, settled: bool, struck: bool) -> PredictionView:
    """The question of step publish."""
    words = WORDS[lang]
    ids = ("desc_flags", "avail_idx", "used_idx", "kick")
    choices = tuple(
        ChoiceView(
            key, text, struck=struck and key == "used_idx", chosen=settled and key == "avail_idx",
            right=(key == "avail_idx") if settled else None,
        )
        for key, text in zip(ids, words["choices"], strict=True)
    )  # fmt: skip
    refutations = (str(words["refute"]),) if settled and struck else ()
    return PredictionView(str(words["question"]), choices, settled, not struck, 2 if struck else 1, refutations)
