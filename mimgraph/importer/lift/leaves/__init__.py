"""Modules of torch.nn as layers: the options of each class, and those that are called otherwise."""

from functools import cache
from importlib import import_module

# the files with leaves; each registers its own when it is imported
FILES = ["recurrent", "attention", "embedding", "adapted"]


@cache
def load() -> None:
    """Import every file with leaves."""
    for file in FILES:
        import_module(f"{__name__}.{file}")
