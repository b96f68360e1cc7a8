"""Decides the classes of emitted source: modules, attributes and what becomes an argument."""
