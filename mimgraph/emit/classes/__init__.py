"""Decide the classes of emitted source: their modules, attributes and constructor arguments."""
