"""Handles that users hold, and the calls that they record."""
