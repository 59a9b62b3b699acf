"""A device of our own: the contract, the errno and the guest-visible results of the kernel's vhost-net.

The way of a packet reads: ``worker`` wakes, ``handle_tx`` pops, maps, sends, fills, flushes and calls.
``device`` takes the contract's calls, ``checks`` decides what is accepted, ``vring`` is one ring's state.
"""

from tour.device.embedded.device import EmbeddedDevice

__all__ = ["EmbeddedDevice"]
