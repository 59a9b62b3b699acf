"""The agent: a separate process that owns everything that moves; front ends only see its events."""
