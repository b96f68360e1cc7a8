"""Collect what the interactive page shows about a selected node."""
