"""Events nobody sane would send: every payload kind with values that fit its types and little else."""

from __future__ import annotations

import types
import typing
from typing import Any

import msgspec
from hypothesis import strategies as st

from tour.trace import events as ev

KINDS = typing.get_args(ev.AnyPayload)

FIELDS = [
    "desc[0]", "desc[7]", "desc[8]", "desc[-1]", "desc", "desc[x]", "desc[0", "avail.idx", "avail.ring[0]",
    "avail.ring[9]", "avail.flags", "avail.used_event", "used.idx", "used.ring[1]", "used.flags", "used.avail_event",
    "", "[0]", "nothing",
]  # fmt: skip
NAMES = ["last_avail_idx", "used_shadow", "last_used_idx", "avail_shadow", "num_free", "num", "rings"]
VERBS = ["reap", "add", "pop", "map", "send", ""]
CALLS = [
    "VHOST_SET_OWNER", "VHOST_GET_FEATURES", "VHOST_SET_FEATURES", "VHOST_SET_MEM_TABLE", "VHOST_SET_VRING_NUM",
    "VHOST_SET_VRING_BASE", "VHOST_GET_VRING_BASE", "VHOST_SET_VRING_ADDR", "VHOST_NET_SET_BACKEND", "VHOST_X",
]  # fmt: skip
WORDS = {
    "field": FIELDS, "verb": VERBS, "doorbell": ["kick", "call", "err", "bell", ""], "direction": ["out", "in", "up"],
    "where": ["port", "tap", ""], "mark": ["begin", "end"], "state": ["S", "R", ""],
}  # fmt: skip

EDGES = [65535, 65536, 32768, 0x40000, 2**32, 2**64 - 1, 2**64, -(2**63)]
integers = st.one_of(st.integers(-2, 9), st.sampled_from(EDGES), st.integers())
finite = st.floats(allow_nan=False, allow_infinity=False)
"""JSON has no others: a figure or a point is a finite number."""
hexes = st.one_of(st.binary(max_size=24).map(bytes.hex), st.sampled_from(["", "0", "zz", "00 11", "٣٣"]))
texts = st.one_of(st.text(max_size=6), st.sampled_from(["\x1b[2J", "{x}", "{0}", "\n", "%s"]))
anything = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
arguments = st.fixed_dictionaries(
    {},
    optional={
        name: anything
        for name in ("index", "num", "features", "regions", "fd", "desc", "avail", "used", "base", "head", "len")
    },
)


def _values(name: str, hint: Any, kind: type) -> st.SearchStrategy[Any]:
    if hint is ev.Hex and name in ("before", "after", "frame", "hdr", "arg_hex", "out_hex"):
        return hexes
    if name == "name" and kind is ev.Private:
        return st.sampled_from(NAMES)
    if name == "name" and kind is ev.Ioctl:
        return st.sampled_from(CALLS)
    if WORDS.get(name):
        return st.sampled_from(WORDS[name])
    return _of(hint)


def _of(hint: Any) -> st.SearchStrategy[Any]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*[_of(each) for each in inner])
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin is list:
        return st.lists(_of(inner[0]), max_size=5)
    if origin is dict:
        return arguments if inner[1] is Any else st.dictionaries(st.sampled_from(["head", "slot"]), _of(inner[1]))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return st.builds(hint, **{name: _of(each) for name, each in typing.get_type_hints(hint).items()})
    plain = {int: integers, str: texts, bool: st.booleans(), type(None): st.none(), float: finite, Any: anything}
    return plain[hint]


def payload_of(kind: type) -> st.SearchStrategy[ev.AnyPayload]:
    """Payloads of one kind."""
    hints = typing.get_type_hints(kind)
    names = [field.name for field in msgspec.structs.fields(kind)]
    return st.builds(kind, **{name: _values(name, hints[name], kind) for name in names})


payloads = st.one_of([payload_of(kind) for kind in KINDS])


def event_of(data: st.SearchStrategy[ev.AnyPayload]) -> st.SearchStrategy[ev.Event]:
    """Events around payloads."""
    actors = st.sampled_from(typing.get_args(ev.Actor))
    sources = st.sampled_from(typing.get_args(ev.Source))
    return st.builds(ev.Event, integers, integers, actors, sources, data, st.booleans(), texts, texts)


events = event_of(payloads)
