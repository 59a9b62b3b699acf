"""The agent: protocol, the process that runs lesson steps, and its clients."""
