"""Lays emitted code out as ruff would."""
