"""Writes a placed diagram in each format, a file a format."""
