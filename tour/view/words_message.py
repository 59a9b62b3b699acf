"""Sentences about vhost-user messages: what a front end said or asked, and why it was refused."""

from __future__ import annotations

from tour.errors import MessageFault
from tour.i18n import local
from tour.trace import events as ev
from tour.view.say import Say, detail_words

_COUNTS = (MessageFault.FDS, MessageFault.FDS_LOST, MessageFault.SIZE, MessageFault.HALF, MessageFault.TOO_LONG)
_INDICES = (MessageFault.RING_INDEX, MessageFault.RUNNING, MessageFault.UNKNOWN, MessageFault.NOT_NEGOTIATED)
NUMBERED = frozenset({*_COUNTS, *_INDICES, MessageFault.REGIONS})
"""Faults whose number is a count or an index, not an address or a word of bits."""


def message(say: Say, data: ev.Message) -> str:
    """One message and what became of it."""
    call = f"{data.name} {detail_words(data.arg)}".strip()
    if data.result == 0:
        asked = data.out and "status" not in data.out
        return say("message_asked", call=call, out=detail_words(data.out)) if asked else say("message", call=call)
    why = local(say.lang, data.fault)
    value = data.errno or (str(data.value) if data.fault in NUMBERED else f"{data.value:#x}")
    if not data.name:
        return say("message_none", why=why, value=value)
    return say("message_closed" if data.closed else "message_refused", call=call, why=why, value=value)
