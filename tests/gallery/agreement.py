"""How far each spec of the gallery agrees with its reference: `agreement.json`, which the manual shows.

`reference`, `parameters` and `size`, the params at which outputs are compared, are written by people; `difference` is
measured by the tests, and `--rewrite` writes it anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

import mimgraph as mg
from mimgraph.gallery.catalogue import entries

TABLE = Path(__file__).with_suffix(".json")
WITHIN = 10  # times as large may a difference be, on another machine or with another torch
LEAST = 1e-6  # a difference that is always allowed: a few roundings

NAMES = {entry.model: entry.name for entry in entries()}
SIZES: dict[mg.Graph, Mapping[str, Any]] = {}  # the params that a graph was loaded with
Result = Tensor | Mapping[str, Tensor] | Sequence[Tensor]
measured: dict[str, float] = {}
REWRITE = [False]  # conftest.py puts the flag here


def hold(graph: mg.Graph, ours: Result, theirs: Result) -> None:
    """Check that outputs differ no more than the table says, relative to the largest output."""
    name = NAMES[graph.name]
    table = json.loads(TABLE.read_text())
    if SIZES[graph] != table[name].get("size"):
        return  # another size than the one that the table is about
    pairs = zip(tensors(ours), tensors(theirs), strict=True)
    found = max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)
    measured[name] = found = max(found, measured.get(name, 0.0))
    if REWRITE[-1]:
        table[name]["difference"] = float(f"{found:.0e}")
        TABLE.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n")
    stated = table[name]["difference"]
    assert found <= max(WITHIN * stated, LEAST), f"{name} differs by {found:.0e}, not {stated:.0e}"


def tensors(result: Result) -> tuple[Tensor, ...]:
    """Return the tensors of a result in their order, without their names."""
    match result:
        case Tensor():
            return (result,)
        case Mapping():
            return tuple(result.values())
        case _:
            return tuple(result)
