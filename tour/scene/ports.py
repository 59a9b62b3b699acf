"""What a vhost-user server's queue pairs are attached to: a tap's queues, a pair of sockets, or nothing."""

from __future__ import annotations

import errno

from tour.device.contract import Backend
from tour.net.frames import NET_HDR_LEN
from tour.net.null import NullPort
from tour.net.queue_tap import OFFLOADS, QueueTap
from tour.net.socketpair import SocketpairPort
from tour.trace.recorder import Recorder


class ServerPorts:
    """``pairs`` queue pairs. ``kind`` is ``tap``, ``socketpair`` or ``null``; ``name`` is the link's, '' for none."""

    kind = "null"
    name = ""
    offloads = 0

    def __init__(self, pairs: int) -> None:
        self.pairs = pairs
        self._null = NullPort()
        self.null: Backend = self._null

    def port(self, pair: int) -> Backend:
        """The backend socket of queue pair ``pair``."""
        raise NotImplementedError

    def negotiated(self, features: int, header_len: int) -> None:
        """The driver acknowledged ``features``; ``header_len`` bytes of virtio_net_hdr travel with each frame."""

    def use(self, pair: int, on: bool) -> None:
        """Whether frames may be steered to queue pair ``pair``."""

    def close(self) -> None:
        """Let go of all. Safe to call again."""
        self._null.close()


class TapPorts(ServerPorts):
    """A queue of ``tap`` for each pair; the tap is taken over."""

    kind = "tap"
    offloads = OFFLOADS

    def __init__(self, tap: QueueTap) -> None:
        super().__init__(len(tap.queues))
        self.tap = tap
        self.name = tap.name

    def port(self, pair: int) -> Backend:
        """See ``ServerPorts.port``."""
        return self.tap.queues[pair]

    def negotiated(self, features: int, header_len: int) -> None:
        """See ``ServerPorts.negotiated``."""
        self.tap.negotiated(features, header_len)

    def use(self, pair: int, on: bool) -> None:
        """See ``ServerPorts.use``."""
        self.tap.use(pair, on)

    def close(self) -> None:
        """See ``ServerPorts.close``."""
        self.tap.close()
        super().close()


class NullPorts(ServerPorts):
    """Nothing: what is sent is discarded, so every offload of sending is true; nothing is ever received."""

    offloads = OFFLOADS

    def __init__(self, pairs: int) -> None:
        super().__init__(pairs)
        self._ports = [NullPort() for _ in range(pairs)]

    def port(self, pair: int) -> Backend:
        """See ``ServerPorts.port``."""
        return self._ports[pair]

    def close(self) -> None:
        """See ``ServerPorts.close``."""
        for port in self._ports:
            port.close()
        super().close()


class SocketpairPorts(ServerPorts):
    """A responder for each pair, which answers ARP and ping and finishes no checksum: no offloads."""

    kind = "socketpair"

    def __init__(self, pairs: int, recorder: Recorder | None = None) -> None:
        super().__init__(pairs)
        self._ports = [SocketpairPort(recorder) for _ in range(pairs)]

    def port(self, pair: int) -> Backend:
        """See ``ServerPorts.port``."""
        return self._ports[pair]

    def negotiated(self, features: int, header_len: int) -> None:
        """See ``ServerPorts.negotiated``. Raises OSError: the responder knows headers of 12 bytes only."""
        if header_len != NET_HDR_LEN:
            raise OSError(errno.EOPNOTSUPP, f"a virtio_net_hdr of {header_len} bytes")

    def close(self) -> None:
        """See ``ServerPorts.close``."""
        for port in self._ports:
            port.close()
        super().close()
