"""Register the layers of a companion file that this package wrote, before the file is written."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType


def register_text(text: str, path: str) -> None:
    """Run the text of a companion file; `path` is that of the model, for tracebacks."""
    name = f"<layers of {path}>"
    module = ModuleType(f"mimgraph_layers_{abs(hash(path))}")
    sys.modules[module.__name__] = module  # where pickles look for the classes
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), vars(module))  # noqa: S102 - text that we wrote
