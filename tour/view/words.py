"""One exact sentence for each event, in both languages: what 'just happened' and the plain twin say.

A sentence claims only what the event carries or the state after it shows; one about something inferred begins
with ``~``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tour.errors import MemoryFault, RingFault
from tour.i18n import Lang, local, strings
from tour.trace import events as ev
from tour.trace.fold import fold
from tour.trace.state import State
from tour.trace.timeline import Timeline
from tour.view import words_calls, words_measure, words_message, words_move, words_ring
from tour.view.frame_words import frame_summary
from tour.view.say import Say, place_words
from tour.view.text import tight

RING_FIELDS = (ev.Store, ev.Private, ev.Snapshot)


def sentence(event: ev.Event, state: State, lang: Lang) -> str:
    """What ``event`` was, given the state after it. Never raises for a decodable event; never empty."""
    say = Say(event, state, lang)
    teller = _TELLERS.get(type(event.data))
    told = teller(say, event.data) if teller else say("note", key=type(event.data).__name__.lower())
    return tight(f"~ {told}" if event.inferred else told)


def sentences(timeline: Timeline, step: str, lang: Lang) -> list[str]:
    """One sentence for each event of ``step`` that has one, in order."""
    mark = timeline.mark(step)
    start = mark.position if mark else 0
    state, said = timeline.at(start), []
    for event in timeline.events[start:]:
        state = fold(state, event)
        if state.last is event:
            said.append(sentence(event, state, lang))
    return said


def fault_words(reason: str, lang: Lang) -> str:
    """A ring's fault in words; an unknown reason as it is."""
    known = {fault.value: fault.name.lower() for fault in RingFault}
    return strings(lang)[f"view.fault.{known[reason]}"] if reason in known else local(lang, reason)


def _hello(say: Say, data: ev.Hello) -> str:
    return say("hello", device=data.device, kernel=data.kernel, net=data.net)


def _write(say: Say, data: ev.Write) -> str:
    key = data.what if data.what in ("net_hdr", "frame", "buffer", "indirect") else "buffer"
    n = len(data.after) // 2
    return say("write_one" if n == 1 else "write", n=n, what=say(f"write.{key}"), gpa=f"{data.gpa:#x}")


def _kick(say: Say, data: ev.Kick) -> str:
    return say("kick", fd=data.fd, queue=say.queue(data.queue), count=data.count, value=data.value)


def _call(say: Say, data: ev.Call) -> str:
    return say("call", fd=data.fd, queue=say.queue(data.queue), count=data.count)


def _drain(say: Say, data: ev.Drain) -> str:
    return say("drain", fd=data.fd, queue=say.queue(data.queue), value=data.value)


def _count(say: Say, data: ev.Count) -> str:
    return say("count", bell=data.doorbell, fd=data.fd, queue=say.queue(data.queue), count=data.count)


def _action(say: Say, data: ev.Action) -> str:
    detail = ", ".join(f"{key} {words_ring.number(value)}" for key, value in data.detail.items())
    known = f"view.verb.{data.verb}" in strings(say.lang)
    verb = say.raw(f"verb.{data.verb}") if known else data.verb
    return say("action", queue=say.queue(data.queue), verb=verb, detail=f" ({detail})" if detail else "")


def _packet(say: Say, data: ev.Packet) -> str:
    try:
        frame = bytes.fromhex(data.frame)
    except ValueError:
        frame = b""
    where = place_words(say.state, data.where, say.lang)
    way = "out" if data.direction == "out" else "in"
    return say(f"packet.{way}", n=len(frame), where=where, what=frame_summary(frame, say.lang))


def _peer(say: Say, data: ev.Peer) -> str:
    return say("peer" if data.real else "peer_ours", name=data.name, ip=data.ip, mac=data.mac)


def _step(say: Say, data: ev.Step) -> str:
    if data.mark == "begin":
        return say("step_begin", step=data.step)
    how = say(f"ended.{data.ended}") if f"view.say.ended.{data.ended}" in strings(say.lang) else data.ended or "-"
    return say("step_end", step=data.step, how=how)


def _note(say: Say, data: ev.Note) -> str:
    template = strings(say.lang).get(data.key)
    if template is None:
        return say("note", key=data.key)
    try:
        return template.format(**data.args | _why(say, data))
    except (LookupError, ValueError, AttributeError, TypeError):
        return template


def _why(say: Say, data: ev.Note) -> dict[str, object]:
    """The reason of a ring or of guest memory in words."""
    reason = str(data.args.get("reason", ""))
    named = next((fault.name.lower() for fault in MemoryFault if fault.value == reason), "")
    return {"reason": say.raw(f"memory_fault.{named}") if named else fault_words(reason, say.lang)} if reason else {}


def _broken(say: Say, data: ev.Broken) -> str:
    return say("broken", queue=say.queue(data.queue), reason=fault_words(data.reason, say.lang))


def _watching(say: Say, data: ev.Watching) -> str:
    key = "watching_strace" if data.by == "strace" else "watching" if data.pid else "watching_nobody"
    return say(key, place=data.place, name=data.name, pid=data.pid)


def _sample(say: Say, data: ev.Sample) -> str:
    words = {"avail": data.avail_idx, "used": data.used_idx}
    return say("sample" if data.running else "sample_rests", queue=say.queue(data.queue), **words)


def _rates(say: Say, data: ev.Rates) -> str:
    return say("rates", queue=say.queue(data.queue), n="?" if data.chains is None else data.chains)


def _answer(say: Say, data: ev.Answer) -> str:
    return say("answer_right" if data.chosen == data.right else "answer_wrong", step=data.step, n=data.tries)


def _check(say: Say, data: ev.Check) -> str:
    return say("check_ok" if data.ok else "check_bad", id=data.id, expr=data.expr, actual=data.actual or "-")


def _error(say: Say, data: ev.Error) -> str:
    what, why = local(say.lang, data.what), local(say.lang, data.why)
    return say("error", what=what, why=why).strip() or say("note", key="error")


_TELLERS: dict[type, Callable[[Say, Any], str]] = {
    **words_calls.TELLERS, **words_measure.TELLERS, **words_move.TELLERS, ev.Hello: _hello,
    ev.Store: words_ring.store, ev.Write: _write,
    ev.Private: words_ring.private, ev.Snapshot: words_ring.snapshot, ev.Kick: _kick, ev.Call: _call,
    ev.Drain: _drain, ev.Count: _count, ev.Action: _action, ev.Packet: _packet, ev.Peer: _peer,
    ev.Message: words_message.message, ev.Step: _step, ev.Note: _note, ev.Broken: _broken, ev.Answer: _answer,
    ev.Check: _check, ev.Error: _error, ev.Watching: _watching, ev.Sample: _sample, ev.Rates: _rates,
    ev.Question: lambda say, data: say("question", step=data.step),
    ev.Lost: lambda say, data: say("lost", n=data.n),
    ev.Done: lambda say, data: say("done" if data.ok else "failed", n=data.id),
    ev.Bye: lambda say, data: say("bye", reason=data.reason),
}  # fmt: skip
