"""A recording's frames as a capture file: draft-ietf-opsawg-pcapng, link type Ethernet, times in nanoseconds.

A frame is as it was seen at the tap; its comment says at which step, and gives the virtio_net_hdr with which it passed
the device where that is known (a capture of Ethernet frames has no room for it). Times are the observer's: when the
frame was told, on the wall clock counted from the recording's begin.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterable, Iterator

from tour.trace import events as ev
from tour.trace.export.acts import ExportError, telling

LINKTYPE_ETHERNET = 1
SNAP = 65535
NANOSECONDS = bytes([9])
OPT_COMMENT, IF_NAME, IF_DESCRIPTION, IF_TSRESOL = 1, 2, 3, 9
SHB_HARDWARE, SHB_USERAPPL = 2, 4
EPB_FLAGS = 2
INBOUND, OUTBOUND = 1, 2


def data(events: Iterable[ev.Event]) -> bytes:
    """The whole file. Raises ExportError for what is no recording."""
    run = list(events)
    hello = run[0].data if run else None
    if not isinstance(hello, ev.Hello):
        raise ExportError("This is no recording: it does not begin with a hello.")
    with telling():
        return b"".join(_blocks(run, hello))


def _blocks(run: list[ev.Event], hello: ev.Hello) -> Iterator[bytes]:
    name = next((event.data.name for event in run if isinstance(event.data, ev.Peer)), "tap0")
    yield _section(hello)
    yield _interface(hello, name)
    begun, first = _wall(hello.started), run[0].t
    headers = _headers(run)
    step = ""
    for event in run:
        if isinstance(event.data, ev.Step):
            step = event.data.step if event.data.mark == "begin" else ""
        if isinstance(event.data, ev.Packet) and event.data.where == "tap":
            told = f"{hello.lesson}:{step}" if step else f"{hello.lesson}: set-up"
            header = headers.get((event.data.direction, event.data.frame), "")
            told += f", virtio_net_hdr {bytes.fromhex(header).hex(' ')}" if header else ""
            yield _packet(event.data, max(0, begun + event.t - first), told)


def _headers(run: list[ev.Event]) -> dict[tuple[str, str], str]:
    """The header of each frame, by direction and frame: what lies before the frame in what was written, or was told."""
    found: dict[tuple[str, str], str] = {}
    before = ""
    for event in run:
        if isinstance(event.data, ev.Packet) and event.data.hdr:
            found[event.data.direction, event.data.frame] = event.data.hdr
        elif isinstance(event.data, ev.Write):
            way, after = ("in" if event.actor == "device" else "out"), event.data.after
            if event.data.what == "net_hdr":
                before = after
            elif event.data.what == "frame":
                found[way, after] = before
            elif len(after) > 24:
                found[way, after[24:]] = after[:24]
    return found


def _wall(started: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 time, 0 for none."""
    try:
        return int(datetime.datetime.fromisoformat(started.replace("Z", "+00:00")).timestamp()) * 10**9
    except ValueError:
        return 0


def _option(code: int, value: bytes) -> bytes:
    value = value[:SNAP]
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _section(hello: ev.Hello) -> bytes:
    options = _option(SHB_HARDWARE, hello.machine.encode()) + _option(SHB_USERAPPL, f"vhost-tour {hello.tour}".encode())
    comment = _option(OPT_COMMENT, f"lesson {hello.lesson}, {hello.device} device, Linux {hello.kernel}".encode())
    return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + comment + options + bytes(4))


def _interface(hello: ev.Hello, name: str) -> bytes:
    told = "the guest's frames, seen at the host's end; a frame of the guest's comes in here"
    options = _option(IF_NAME, name.encode()) + _option(IF_DESCRIPTION, told.encode())
    options += _option(IF_TSRESOL, NANOSECONDS)
    return _block(1, struct.pack("<HHI", LINKTYPE_ETHERNET, 0, SNAP) + options + bytes(4))


def _packet(packet: ev.Packet, at: int, told: str) -> bytes:
    frame = bytes.fromhex(packet.frame)
    flags = INBOUND if packet.direction == "out" else OUTBOUND
    head = struct.pack("<IIIII", 0, at >> 32 & 0xFFFFFFFF, at & 0xFFFFFFFF, len(frame), len(frame))
    options = _option(OPT_COMMENT, told.encode()) + _option(EPB_FLAGS, struct.pack("<I", flags)) + bytes(4)
    return _block(6, head + frame + bytes(-len(frame) % 4) + options)
