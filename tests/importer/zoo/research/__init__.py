"""Modules as researchers write them, in files by theme; each file ends with its `MODELS`."""
