"""Compares two graphs: what changed, what follows from it, and how it is shown."""
