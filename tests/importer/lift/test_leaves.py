"""Every layer that is a class of torch.nn is imported with the options that it was made with."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any

import pytest
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.ir.types import TensorType
from mimgraph.ops import deprecated
from tests.importer.support import check, nodes, refusals
from tests.ops.layers.oracle import Case, build, infer, keyed, operation, tensor
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


def family(case: Case) -> str:
    """Return what the layers of one family have in common: `Conv` of `Conv2d`."""
    return re.split(r"\d", case.layer)[0]


def marked() -> list[Any]:
    """Return the cases: one in two families is quick, all layers with all their options are slow, and
    the same options with other values or shapes are for the night."""
    plain = [case for case in CASES if is_plain(case)]
    families = {family(case): case for case in reversed(plain)}
    quick = [families[name] for name in sorted(families)][::2]
    first = {(case.layer, *sorted(case.options)): case for case in reversed(plain)}
    return [
        pytest.param(
            case,
            marks=()
            if case in quick
            else pytest.mark.slow
            if case in first.values()
            else pytest.mark.nightly,
        )
        for case in plain
    ]


@pytest.mark.parametrize("case", marked(), ids=str)
def test_layer_of_torch(case: Case) -> None:
    sources = keyed(operation(case.layer), case.sources)
    layer = build(infer(case.layer, sources, **case.options))
    assert layer is not None
    found = check(Calls(layer), **{name: declared(type_) for name, type_ in sources.items()})
    node = nodes(found)["layer"]
    is_deprecated = ("layer", case.layer) in deprecated.OPS
    assert node.get("layer") == ("Upsample" if is_deprecated else case.layer)


def test_conv1d_of_transformers() -> None:
    """A Linear whose weight is transposed is a block."""
    pytorch_utils = pytest.importorskip("transformers.pytorch_utils")
    found = check(Calls(pytorch_utils.Conv1D(8, 6)), input=declared(tensor(5, 6)))
    assert [*found.graph.to_dict()["blocks"]] == ["conv1d"]


def test_layers_of_torchvision() -> None:
    ops = pytest.importorskip("torchvision.ops")
    found = check(Calls(ops.FrozenBatchNorm2d(3)), input=declared(tensor(3, 8, 8)))
    assert nodes(found)["layer"] == {"layer": "FrozenBatchNorm2d", "from": "input"}


def test_hook_is_refused() -> None:
    layer = nn.Linear(6, 3)
    layer.register_forward_hook(lambda module, given, result: result * 2)
    (message,) = refusals(Calls(layer), input=declared(tensor(6)))
    assert message == "Linear has a forward hook, which a spec cannot express"


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_norm_of_a_weight(norm: str) -> None:
    layer = getattr(nn.utils.parametrizations, norm)(nn.Linear(6, 3))
    assert nodes(check(Calls(layer), input=declared(tensor(6))))["layer"][norm] is True


class Embeds(nn.Module):
    """Embeds two inputs, the second one by an embedding of another size if `second` is given."""

    def __init__(self, second: int | None) -> None:
        super().__init__()
        self.one = nn.Embedding(7, 3)
        self.two = self.one if second is None else nn.Embedding(second, 3)

    def forward(self, x: Tensor, y: Tensor) -> Any:
        return self.one(x), self.two(y[:, 1:]), self.two(x)


@pytest.mark.parametrize(("second", "vocabs"), [(None, (7, 7)), (7, (7, 7)), (9, (None, 9))])
def test_vocab_is_that_of_the_embedding(second: int | None, vocabs: Any) -> None:
    given = {"shape": (5,), "vocab": 6}
    imported = mg.from_module(Embeds(second), {"x": given, "y": given})
    assert imported.proven
    found = imported.graph.to_dict()
    assert tuple(one.get("vocab") for one in found["inputs"].values()) == vocabs
    written = [node.get("num_embeddings") for node in found["nodes"].values()]
    assert any(written) is (second == 9)


def test_subclasses_that_torch_deprecates_are_an_upsample() -> None:
    net = nn.Sequential(nn.UpsamplingNearest2d(scale_factor=2), nn.UpsamplingBilinear2d(size=9))
    imported = mg.from_module(net, {"input": (3, 4, 4)})
    assert imported.proven and not imported.graph.warnings
    assert "UpsamplingNearest2d" not in imported.graph.dumps()
