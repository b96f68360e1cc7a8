"""Say which dtype a wrong name probably means."""

from __future__ import annotations

from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.types import DTYPES

# names of Python, numpy and torch's methods that are no names of dtypes here
_ALIASES = {
    "int": "int64",
    "long": "int64",
    "float": "float32",
    "half": "float16",
    "double": "float64",
}


def dtype_help(name: str) -> str:
    """Return the help for a name that no dtype has."""
    near = _ALIASES.get(name) or nearest(name, DTYPES)
    return f"did you mean {near}?" if near else f"one of {', '.join(DTYPES)}"
