"""What `.to(torch.bfloat16)` and `.double()` make of a module: every result that inference takes
for float32 has the dtype of the module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

import mimgraph as mg
from mimgraph import layers
from mimgraph.catalogue import REQUIRED
from mimgraph.ir.types import TensorType
from tests.layers.oracle import Case, keyed, make, operation
from tests.layers.test_conformance import CASES as LAYERS
from tests.merges.test_merges import CASES as MERGES

DTYPES = [torch.bfloat16, torch.float16, torch.float64]
by_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: str(dtype)[6:])


def graph_of(
    name: str, sources: TensorType | Mapping[str, TensorType], options: Mapping[str, Any]
) -> mg.Graph:
    """A graph of one op; a tensor without a batch is a buffer."""
    op = operation(name)
    fed = {
        key: mg.Input(f"{op.name}_{key}", x.dims, dtype=None if x.vocab else x.dtype, vocab=x.vocab)
        if x.batched
        else mg.Buffer(f"{op.name}_{key}", x.dims, init="ones", dtype=x.dtype)
        for key, x in keyed(op, sources).items()
    }
    if op.inputs.kind == "many":
        made = op(*fed.values(), **options)
    elif op.kind == "merge":
        made = op(**fed, **options) if op.inputs.kind != "named" else op(options["expr"], fed)
    else:
        made = op(**options)(**fed)
    return mg.Graph(made)
