"""The one comparison behind event-index suppression, for kicks and for calls alike."""

WRAP = 1 << 16
"""Ring indices run freely through all 16 bits; only a slot is taken modulo the queue size."""


def need_event(event: int, new: int, old: int) -> bool:
    """Whether an index that moved from ``old`` to ``new`` passed ``event``, all modulo 2^16.

    The other side asked: tell me when you have *finished* entry ``event``, that is when the index becomes
    ``event + 1``. Source: virtio v1.3 2.7.10, ``vring_need_event``.
    """
    return (new - event - 1) % WRAP < (new - old) % WRAP
