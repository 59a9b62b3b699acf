"""Guests that nobody here wrote: user-mode Linux and QEMU, booted with one call and attached to a vhost-user server."""
