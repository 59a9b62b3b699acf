"""vhost-tour: Linux vhost-net, one step at a time, on the real kernel or on a device of our own."""

__version__ = "0.1.0"
