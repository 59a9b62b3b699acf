"""The command line: the only part that may reach the other front ends, and only when asked for."""
