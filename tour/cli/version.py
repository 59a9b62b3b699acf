"""``tour version``."""

from __future__ import annotations

import json
import platform
import sys

from tour import __version__
from tour.abi import native
from tour.cli.output import tell
from tour.trace.events import PROTOCOL, SCHEMA


def print_version(as_json: bool) -> int:
    """Version of the program, of its formats, and of what it runs on."""
    facts = {
        "schema": "vhost-tour/version/1",
        "version": __version__,
        "trace_schema": SCHEMA,
        "agent_protocol": PROTOCOL,
        "python": platform.python_version(),
        "platform": sys.platform,
        "kernel": platform.release(),
        "compiled_part": native.available(),
    }
    tell(json.dumps(facts) if as_json else "\n".join(f"{key}: {value}" for key, value in facts.items()))
    return 0
