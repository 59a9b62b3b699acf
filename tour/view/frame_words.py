"""A frame's layers in one line of words each, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from tour.i18n import Lang
from tour.trace.frames import Field, fields
from tour.view.text import tr

BROADCAST = "ff:ff:ff:ff:ff:ff"
TYPES = {"0x0806": "ARP", "0x0800": "IPv4", "0x86dd": "IPv6"}
PROTOCOLS = {"1": "ICMP", "6": "TCP", "17": "UDP"}


def meaning(layer: str, members: Sequence[Field], lang: Lang, spotlight: str = "") -> str:
    """What a layer says; the field in the spotlight instead when it is one of its own."""
    lit = next((field for field in members if field.name == spotlight), None)
    if lit is not None:
        return f"{tr(lang, 'field.' + _key(lit.name))}: {lit.value}"
    values = {field.name: field.value for field in members}
    teller = {"hdr": _hdr, "eth": _eth, "arp": _arp, "ip": _ip, "icmp": _icmp}.get(layer)
    if teller is None or any(field.name == "truncated" for field in members):
        return tr(lang, "layer.cut" if layer == "truncated" else "layer.other")
    return teller(values, lang)


def _key(name: str) -> str:
    return name.replace(".", "_")


def _hdr(values: dict[str, str], lang: Lang) -> str:
    none = values.get("hdr.flags") == "0x00" and values.get("hdr.gso_type") == "0x00"
    key = "layer.hdr_none" if none else "layer.hdr"
    return tr(lang, key, flags=values.get("hdr.flags", "?"), gso=values.get("hdr.gso_type", "?"),
              n=values.get("hdr.num_buffers", "?"))  # fmt: skip


def _eth(values: dict[str, str], lang: Lang) -> str:
    if "eth.dst" not in values:
        return tr(lang, "layer.pad")
    target = values["eth.dst"]
    target = tr(lang, "layer.broadcast") if target == BROADCAST else short_mac(target)
    kind = TYPES.get(values.get("eth.type", ""), values.get("eth.type", "?"))
    return tr(lang, "layer.eth", dst=target, src=short_mac(values.get("eth.src", "?")), type=kind)


def short_mac(mac: str) -> str:
    """``02:..:01`` of ``02:00:00:00:00:01``."""
    parts = mac.split(":")
    return f"{parts[0]}:..:{parts[-1]}" if len(parts) == 6 else mac


def _arp(values: dict[str, str], lang: Lang) -> str:
    names = ("arp.tpa", "arp.spa", "arp.sha", "arp.oper")
    target, sender, mac, oper = (values.get(name, "?") for name in names)
    key = {"1": "layer.arp_request", "2": "layer.arp_reply"}.get(oper, "layer.arp")
    return tr(lang, key, target=target, sender=sender, mac=short_mac(mac))


def _ip(values: dict[str, str], lang: Lang) -> str:
    proto = values.get("ip.proto", "?")
    return tr(lang, "layer.ip", src=values.get("ip.src", "?"), dst=values.get("ip.dst", "?"),
              proto=PROTOCOLS.get(proto, proto))  # fmt: skip


def _icmp(values: dict[str, str], lang: Lang) -> str:
    key = {"8": "layer.echo_request", "0": "layer.echo_reply"}.get(values.get("icmp.type", ""), "layer.icmp")
    return tr(lang, key, seq=values.get("icmp.seq", "?"))


def frame_summary(frame: bytes, lang: Lang) -> str:
    """One phrase for a whole frame: its innermost layer that has words."""
    layers: dict[str, list[Field]] = {}
    for field in fields(frame):
        layers.setdefault(field.name.partition(".")[0], []).append(field)
    for layer in ("icmp", "arp", "ip", "eth"):
        if layer in layers:
            return meaning(layer, layers[layer], lang)
    return tr(lang, "layer.other")
