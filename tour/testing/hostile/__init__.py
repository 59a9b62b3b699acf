"""The hostile front end: a catalogue of named violations, and each of our devices (and the kernel's) as the victim."""
