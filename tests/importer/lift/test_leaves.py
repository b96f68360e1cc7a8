"""Every layer that is a class of torch.nn is imported with the options that it was made with."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import pytest
from torch import Tensor, nn

from mimgraph.ir.types import TensorType
from tests.importer.support import check, nodes
from tests.ops.layers.oracle import Case, build, infer, keyed, operation
from tests.ops.layers.test_conformance import CASES

warnings.simplefilter("ignore")


class Calls(nn.Module):
    """Calls a layer with its sources, by name if there are several."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, **sources: Tensor) -> Any:
        return self.layer(*sources.values()) if len(sources) == 1 else self.layer(**sources)


def is_plain(case: Case) -> bool:
    """Return whether torch's class takes the sources as a layer does: batches, by the same names."""
    cls = getattr(nn, case.layer, None)
    if cls is None:
        return False
    if case.layer.startswith("Fractional") or case.options.get("dim") == 0:
        return False  # draws at random; another batch
    names = inspect.signature(cls.forward).parameters
    sources = keyed(operation(case.layer), case.sources)
    alone = len(sources) == 1
    given = all(type_.batched and (alone or name in names) for name, type_ in sources.items())
    return given and (case.layer != "MultiheadAttention" or len(sources) == 3)


def declared(type_: TensorType) -> dict[str, Any]:
    return {"shape": tuple(type_.dims), "dtype": type_.dtype, "vocab": type_.vocab}


PLAIN = [case for case in CASES if is_plain(case)]


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_layer_of_torch(case: Case) -> None:
    sources = keyed(operation(case.layer), case.sources)
    layer = build(infer(case.layer, sources, **case.options))
    assert layer is not None
    found = check(Calls(layer), **{name: declared(type_) for name, type_ in sources.items()})
    node = nodes(found)["layer"]
    assert node.get("layer") == case.layer
