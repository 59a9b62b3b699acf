"""Everything is a trace: events, the state folded from them, recordings."""
