"""Find what to write instead of what is wrong, and warn of what nothing uses."""
