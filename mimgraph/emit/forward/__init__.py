"""Plans and writes a forward: presence, calls, loops and the names of values."""
