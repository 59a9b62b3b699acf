"""The network beyond the device: the port it sends to, the tap and its peer, and who watches."""
