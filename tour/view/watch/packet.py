"""The packet of the chosen queue that was shown last, byte by byte."""

from __future__ import annotations

from tour.trace.frames import NET_HDR_LEN
from tour.view.area import Area
from tour.view.panels import packet
from tour.view.watch.look import Look


def subject(look: Look) -> packet.Subject | None:
    """Header and frame of the newest packet of the queue."""
    frames = [frame for frame in look.state.frames if frame.queue == look.moment.queue]
    if not frames:
        return None
    try:
        header, frame = bytes.fromhex(frames[-1].hdr), bytes.fromhex(frames[-1].frame)
    except ValueError:
        return None
    whole = len(header) == NET_HDR_LEN
    return packet.Subject(header + frame if whole else frame, whole)


def title(look: Look) -> str:
    """What packet this is."""
    found = subject(look)
    if found is None:
        return look.say("title.packet")
    head = NET_HDR_LEN if found.header else 0
    return look.say("packet.title", name=look.ring.name.upper(), head=head, n=len(found.data) - head)


def draw(area: Area, look: Look) -> None:
    """Its bytes with their meaning."""
    found = subject(look)
    if found is None:
        look.tell(area, "packet.outside" if look.outside else "packet.none")
        return
    packet.draw_bytes(area, look, found)
