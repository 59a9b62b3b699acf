"""How fast: our driver and device against bare loops and packaged peers, interleaved in one run. Below ``cli``."""
