"""Prepare a whole spec to be a block of another."""
