"""Print emitted code as ruff formats it."""
