"""Layers made of others: functions decorated with `@block`, whole graphs, and blocks of specs."""
