"""Functions of torch as nodes: each file has the handlers of one family."""

from functools import cache
from importlib import import_module

# the files with handlers; each registers its own when it is imported
FILES = [
    "activation",
    "arithmetic",
    "comparison",
    "creation",
    "indexing",
    "join",
    "matrix",
    "packing",
    "reduction",
    "shape",
    "slicing",
    "spatial",
    "types",
    "weights",
]


@cache
def load() -> None:
    """Import every file with handlers."""
    for file in FILES:
        import_module(f"{__name__}.{file}")
