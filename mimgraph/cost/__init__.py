"""Counts multiply-accumulates and memory, says which axes lie together, and formats the numbers."""
