"""Suppression at work, one sentence a doorbell: who wants to be rung when [virtio v1.3 2.7.7, 2.7.10]."""

from __future__ import annotations

from tour.view.watch.look import Look, amount


def kicks(look: Look) -> str:
    """When the device wants a kick."""
    sample = look.sample
    if sample is None:
        return ""
    if sample.avail_event is None:
        return look.say("silence.no_kicks" if sample.used_flags & 1 else "silence.every_kick", flags=sample.used_flags)
    return _event(look, "kick", sample.avail_event, sample.avail_idx, sample.num)


def calls(look: Look) -> str:
    """When the driver wants a call, and what was saved by it."""
    sample = look.sample
    if sample is None:
        return ""
    saved = look.speeds.calls_saved if look.wide else None
    more = look.say("silence.saved", n=amount(saved)) if saved else ""
    if sample.used_event is None:
        key = "silence.no_calls" if sample.avail_flags & 1 else "silence.every_call"
        return look.say(key, flags=sample.avail_flags) + more
    return _event(look, "call", sample.used_event, sample.used_idx, sample.num) + more


def _event(look: Look, bell: str, event: int, idx: int, num: int) -> str:
    """An event index ahead of the index it waits for, or behind it: vring_need_event() rings when ``idx`` passes it
    [include/uapi/linux/virtio_ring.h@6.1]."""
    ahead = (event + 1 - idx) & 0xFFFF
    if 1 <= ahead <= num:
        return look.say(f"silence.{bell}_at", event=event, n=ahead)
    return look.say(f"silence.{bell}_passed", event=event)
