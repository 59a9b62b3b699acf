"""Devices behind one contract: the kernel's vhost-net, and one of our own where there is none."""
