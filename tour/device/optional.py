"""The contract's optional calls: each a capability, NotOffered where an implementation lacks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

from tour.abi import layouts
from tour.device import wire
from tour.errors import NotOffered


class OptionalCalls:
    """Mixed into every device. A call that is not offered makes no system call and so records no event."""

    kind: ClassVar[str]
    capabilities: ClassVar[frozenset[str]] = frozenset()
    """Which of ``reset_owner``, ``backend_features`` and ``busyloop_timeout`` are offered."""

    _call: Callable[..., Any]

    def _need(self, capability: str) -> None:
        if capability not in self.capabilities:
            raise NotOffered(f"The {self.kind} device does not offer {capability}.")

    @final
    def reset_owner(self) -> None:
        """Give ownership up: rings stop, the memory table and all doorbells are forgotten."""
        self._need("reset_owner")
        self._call("VHOST_RESET_OWNER", {}, b"", self._reset_owner)

    @final
    def get_backend_features(self) -> int:
        """Protocol features of vhost itself; bit 1 is the IOTLB message's second version (Linux 4.20)."""
        self._need("backend_features")

        def out(number: int) -> tuple[dict[str, int], bytes]:
            return {"features": number}, wire.word(number)

        return int(self._call("VHOST_GET_BACKEND_FEATURES", {}, b"", self._get_backend_features, out))

    @final
    def set_backend_features(self, features: int) -> None:
        """Acknowledge protocol features; EOPNOTSUPP for one that was not offered."""
        self._need("backend_features")
        arg, raw = {"features": features}, wire.word(features)
        self._call("VHOST_SET_BACKEND_FEATURES", arg, raw, lambda: self._set_backend_features(features))

    @final
    def set_vring_busyloop_timeout(self, index: int, microseconds: int) -> None:
        """How long the worker polls before it sleeps; 0 switches polling off (Linux 4.6)."""
        self._need("busyloop_timeout")
        arg, raw = {"index": index, "num": microseconds}, layouts.pack_vring_state(index, microseconds)
        name = "VHOST_SET_VRING_BUSYLOOP_TIMEOUT"
        self._call(name, arg, raw, lambda: self._set_vring_busyloop_timeout(index, microseconds))

    def _reset_owner(self) -> None:
        raise NotImplementedError

    def _get_backend_features(self) -> int:
        raise NotImplementedError

    def _set_backend_features(self, features: int) -> None:
        raise NotImplementedError

    def _set_vring_busyloop_timeout(self, index: int, microseconds: int) -> None:
        raise NotImplementedError
