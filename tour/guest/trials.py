"""What a guest is asked to prove itself: pings that are answered, TCP streams out and in, measured."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tour.errors import CheckFailed
from tour.guest.initramfs import PEER_IP
from tour.guest.machine import Done, Guest

PEER = f"iperf3 -s -B {PEER_IP} >/dev/null 2>&1"
"""What must run on the other side of the network for ``tcp``."""
PING = re.compile(r"(\d+) packets transmitted, (\d+) packets received")
TIMES = re.compile(r"round-trip min/avg/max = ([\d.]+)/([\d.]+)/([\d.]+) ms")
LATE = 20.0
"""Seconds beyond its own time after which a trial is given up."""


@dataclass(frozen=True)
class Ping:
    """Echo requests sent and answered, and their mean round trip in milliseconds."""

    sent: int
    received: int
    average: float


def ping(guest: Guest, count: int = 5) -> Ping:
    """Ping the other side five times a second. Raises CheckFailed when nothing came back, AgentLost, TimedOut."""
    done = guest.run(f"ping -c {count} -i 0.2 {PEER_IP}", count + LATE)
    numbers, times = PING.search(done.text), TIMES.search(done.text)
    if done.code or not numbers or not times:
        raise CheckFailed("The guest's pings were not answered.", done.text.strip())
    return Ping(int(numbers[1]), int(numbers[2]), float(times[2]))


def tcp(guest: Guest, seconds: float = 2.0, *, inwards: bool = False) -> float:
    """Bits per second that arrived over one TCP stream, out of the guest or into it.

    Raises CheckFailed when the stream broke, AgentLost, TimedOut.
    """
    begin_tcp(guest, seconds, inwards=inwards)
    return tcp_rate(guest.finish(seconds + LATE))


def begin_tcp(guest: Guest, seconds: float, *, inwards: bool = False) -> None:
    """Start such a stream and return at once; ``tcp_rate`` of how it finished tells."""
    reverse = "-R" if inwards else ""
    guest.start(f"iperf3 -J -c {PEER_IP} -t {seconds:g} {reverse} --connect-timeout 5000")


def done_well(done: Done) -> bool:
    """Whether what ``begin_tcp`` started came to its end with packets received."""
    try:
        return tcp_rate(done) > 0
    except CheckFailed:
        return False


def tcp_rate(done: Done) -> float:
    """Bits per second of what ``begin_tcp`` started. Raises CheckFailed."""
    try:
        report = json.loads(done.text)
        return float(report["end"]["sum_received"]["bits_per_second"])
    except (ValueError, KeyError, TypeError):
        why = re.search(r'"error":\s*"([^"]*)"', done.text)
        raise CheckFailed("The guest's TCP stream broke.", why[1] if why else done.text[-300:].strip()) from None
