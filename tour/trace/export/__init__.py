"""A recording as something to keep elsewhere: a program, a list of system calls, a diagram, captured frames. Pure."""
