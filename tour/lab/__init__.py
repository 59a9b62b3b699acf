"""A throwaway virtual machine with a real /dev/vhost-net, where this machine has none.

``command.run`` runs a command in it, ``command.open_stream`` starts a program that is spoken to over a byte stream.
Below them: ``machine`` (boot, retry, what is told), ``qemu`` (the command line), ``initramfs`` and ``script`` (what
the machine boots), ``kernel`` and ``modules`` (which kernel, and what of it), ``keeper`` (nothing outlives us).
"""
