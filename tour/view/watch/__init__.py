"""A device that is watched, as cells: the lesson screen's panels on a foreign guest."""
