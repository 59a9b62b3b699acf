"""Watch a guest at work: both indices of every ring that moved, and how many packets went through it.

    python watch_guest.py /tmp/net.sock

The socket is that of a `tour vhost-user`, or of the example above. The guest does not wait for whoever watches.
"""

import sys
from pathlib import Path

from tour.agent.watch_client import WatchSession
from tour.trace.events import Event, Rates, Sample

told: dict[int, int | None] = {}


def seen(event: Event) -> None:
    """Print what was read of a ring, and its device's own counters."""
    match event.data:
        case Sample(queue=queue, avail_idx=avail, used_idx=used):
            print(f"queue {queue}: avail.idx {avail}, used.idx {used}", flush=True)
        case Rates(queue=queue, packets=packets, calls=calls) if told.get(queue) != packets:
            told[queue] = packets
            print(f"queue {queue}: {packets} packets, {calls} calls", flush=True)


session = WatchSession(Path(sys.argv[1]))
print("watching", flush=True)
session.read(seen, lambda why: print(why or "The server has ended."))
session.close()
