"""One file a panel: each draws itself into an area and, where it may grow, says how many rows it wants."""
