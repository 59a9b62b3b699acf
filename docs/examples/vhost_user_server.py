"""A vhost-user server: a network card for whatever front end connects to its socket, each of its messages printed.

    python vhost_user_server.py /tmp/net.sock

The other end is a small responder that answers ARP and ping; ``netns`` in place of ``socketpair`` makes a real tap.
"""

import sys

from tour.agent.serve import ServeOptions, serve
from tour.trace.events import Event, Message


def tell(event: Event) -> None:
    """Every event of the server passes here; a front end's messages are printed."""
    if isinstance(event.data, Message):
        print(event.data.name, event.data.arg, "refused" if event.data.result else "done", flush=True)


serve(ServeOptions(sys.argv[1], port="socketpair", once=True), [tell], lambda: print("listening", flush=True))
