"""Modules after `.to(torch.bfloat16)`, `.to(torch.float16)` and `.double()`.

Each result that inference calls float32 has the dtype of the module, and nearly the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import in_ci
from tests.helpers.cases import each, texts
from tests.helpers.running import by_name, seed
from tests.ops.layers.oracle import Case as LayerCase
from tests.ops.layers.oracle import keyed, operation
from tests.ops.layers.test_conformance import CASES as LAYERS
from tests.ops.merges.test_merges import CASES as MERGES
from tests.ops.merges.test_merges import Case as MergeCase

DTYPES = (torch.bfloat16, torch.float16, torch.float64)
PARTS = {torch.bfloat16: 0.05, torch.float16: 0.01, torch.float64: 1e-5}  # of the norm, at most
NO_KERNEL = (
    "not implemented for|not supported|is not available|Unsupported dtype|only supported for"
)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch")


def inputs_of(graph: mg.Graph, batch: int = 3) -> dict[str, Tensor]:
    return seeded_inputs(graph.typed, batch, 0, choose_sizes(graph.typed, {}))


def cast(inputs: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Return inputs, those declared float32 in the dtype of the module."""
    return {n: t.to(dtype) if t.dtype is torch.float32 else t for n, t in inputs.items()}


def run(module: nn.Module, inputs: Mapping[str, Tensor], graph: mg.Graph) -> dict[str, Tensor]:
    """Return the outputs by name, under one seed; the inputs are copied, as a module may work in place."""
    seed()
    return by_name(module(**{name: t.clone() for name, t in inputs.items()}), graph)


def check(graph: mg.Graph, dtype: torch.dtype, part: float | None = None) -> None:
    """Check that the results in float32 and in `dtype` have these dtypes and nearly equal values."""
    seed()
    module, inputs = graph.compile().eval(), inputs_of(graph)
    plain = run(module, inputs, graph)
    found = run(module.to(dtype), cast(inputs, dtype), graph)
    for name, type_ in graph.outputs.items():
        assert str(plain[name].dtype) == f"torch.{type_.dtype}"
        expected = dtype if type_.dtype == "float32" else plain[name].dtype
        if type_.dtype == "complex64" and any(x.is_floating_point() for x in inputs.values()):
            expected = dtype.to_complex()  # it holds two floats of the model
        assert found[name].dtype == expected, name
        if expected is dtype:
            ours, theirs = found[name].double(), plain[name].double()
            finite = torch.isfinite(theirs)
            assert torch.equal(torch.isfinite(ours), finite)
            far = (ours - theirs)[finite].norm() - 1e-3 * PARTS[dtype]
            assert far <= (part or PARTS[dtype]) * theirs[finite].norm()


# every layer and merge of the registry


def graph_of(
    name: str, sources: TensorType | Mapping[str, TensorType], options: Mapping[str, Any]
) -> mg.Graph:
    """Return a graph of one op with all its results as outputs; a source without a batch is a buffer."""
    op = operation(name)
    fed = {
        key: mg.Input(f"in_{key}", x.dims, None if x.vocab else x.dtype, x.vocab)
        if x.batched
        else mg.Buffer(f"in_{key}", x.dims, init="ones", dtype=x.dtype)
        for key, x in keyed(op, sources).items()
    }
    if op.inputs.kind == "many":
        made = op(*fed.values(), **options)
    elif op.inputs.kind == "named":
        made = op(options["expr"], fed, **{k: v for k, v in options.items() if k != "expr"})
    else:
        made = op(**fed, **options) if op.kind == "merge" else op(**options)(**fed)
    results = {port: type_ for port, type_ in made.record.made.results.items() if port != "state"}
    if list(results) == [""]:
        return mg.Graph({"result": made})
    return mg.Graph({f"port_{port}": made[port] for port in results})


RANDOM = ("FractionalMaxPool2d", "FractionalMaxPool3d")  # draws of which differ with the dtype
ILL = ("LPPool2d(norm_type=-1", "LPPool3d(norm_type=-1", "CosineSimilarity(", "cosine(")


def across_samples(sources: TensorType | Mapping[str, TensorType]) -> bool:
    types = [sources] if isinstance(sources, TensorType) else sources.values()
    return any(BATCH in type_.dims for type_ in types)


FAMILIES: dict[str, dict[str, LayerCase | MergeCase]] = {}
for case in (*LAYERS, *MERGES):
    # whose sources can be inputs, which have the batch first or none
    if case[0] not in RANDOM and not across_samples(case[1]):
        family = FAMILIES.setdefault(operation(case[0]).family, {})
        family[f"{case}{len(family)}"] = case  # a merge may have two cases of one name


def case_of_a_family(dtype: torch.dtype, index: int, family: str) -> Any:
    """Return a parameter: bfloat16 by default, a few families in others in CI, the rest nightly."""
    marks = (
        [] if dtype is torch.bfloat16 else [pytest.mark.nightly if index % 6 else pytest.mark.slow]
    )
    return pytest.param(family, dtype, id=f"{family}-{str(dtype)[6:]}", marks=marks)


@pytest.mark.parametrize(
    ("family", "dtype"),
    [
        case_of_a_family(dtype, index, family)
        for index, family in enumerate(FAMILIES)
        for dtype in DTYPES
    ],
)
def test_every_op_keeps_the_dtype(family: str, dtype: torch.dtype) -> None:
    """It does if torch has the op in that dtype."""

    @each("case", FAMILIES[family])
    def check_op(case: LayerCase | MergeCase) -> None:
        ill = str(case).startswith(ILL)  # of values near 0
        try:
            check(graph_of(*case[:3]), dtype, 0.5 if ill else None)
        except (RuntimeError, NotImplementedError) as error:
            if not any(words in str(error) for words in NO_KERNEL.split("|")):
                raise

    check_op()


# what makes tensors, or meets several dtypes

SPECS = {name: text for name, (text,) in texts(Path(__file__).with_name("dtypes.md")).items()}


@pytest.mark.parametrize(
    "dtype", [in_ci(dtype, unless=dtype is torch.bfloat16) for dtype in DTYPES], ids=str
)
def test_ops_that_make_tensors_keep_the_dtype_of_the_model(dtype: torch.dtype) -> None:
    each("text", SPECS)(lambda text: check(mg.loads(text), dtype))()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, text in SPECS.items() if "LSTM" not in text])
def test_it_compiles_into_one_graph(name: str) -> None:
    """torch can put all ops into a graph, but not lengths."""
    graph = mg.loads(SPECS[name])
    module, inputs = (
        graph.compile().eval().to(torch.bfloat16),
        cast(inputs_of(graph), torch.bfloat16),
    )
    torch._dynamo.reset()
    found = run(torch.compile(module, fullgraph=True, backend="eager"), inputs, graph)
    expected = run(module, inputs, graph)
    torch.testing.assert_close(found, expected, equal_nan=True)
