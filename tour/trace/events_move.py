"""Payload of a machine that moves: which of several devices the control plane speaks to.

``events`` gives all kinds by one name each; nothing else imports from here.
"""

from __future__ import annotations

from tour.trace.events_control import Payload


class Serving(Payload, frozen=True):
    """From here on calls, memory regions, doorbells and the worker told are those of device ``number`` (0 is the one
    that a stream begins with), until another of these. ``device`` and ``gear`` are as in Hello. What was told of the
    one before stands until it is spoken to again; the guest, its rings and the network are the same for all."""

    number: int
    device: str
    gear: str = ""
