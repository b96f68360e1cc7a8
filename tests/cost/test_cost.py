"""The cost of graphs: MACs as torch counts them, and memory as the storages of tensors show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.cost.cost import Costs
from mimgraph.ir.amount import Amount
from mimgraph.ir.code import Operand
from mimgraph.ir.dim import Dim, substitute
from mimgraph.ir.lowering import MODULE, RESULT, Lowering, module_call
from mimgraph.ir.types import DTYPES, TensorType
from mimgraph.ops.registry import ops
from mimgraph.runtime.input_ranges import lengths
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import ROOT
from tests.helpers.cases import each
from tests.ops.layers import test_conformance
from tests.ops.layers.oracle import (
    BATCH_SIZE,
    build,
    infer,
    keyed,
    make,
    operation,
    run,
    tensor,
    unbatched,
)
from tests.ops.layers.test_examples import spec as example
from tests.ops.merges import test_merges

# torch's counter has no formula for the kernel of these, which multiply all the same
NOT_COUNTED = ("Bilinear", "bilinear")
UNKNOWN_TO_TORCH = (*NOT_COUNTED, "DeformConv2d")


class Lowered:
    """A case of the conformance tables with its lowering."""

    def __init__(self, name: str, sources: Any, options: Mapping[str, Any]) -> None:
        self.name = name
        self.sources: Mapping[str, TensorType] = keyed(operation(name), sources)
        self.lowering: Lowering = infer(name, sources, **options)
        self.id = f"{name}-{options}".replace(" ", "")

    @property
    def macs(self) -> Any:
        assert self.lowering.products is not None
        return Amount(*self.lowering.products).at({"N": BATCH_SIZE}).value

    def run(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return source tensors, with lengths that fit the input, and the results."""
        lowering, module = self.lowering, build(self.lowering)
        if isinstance(module, nn.Module):
            module.eval()
        inputs = {key: make(x, {}) for key, x in self.sources.items()}
        if {"lengths", "input"} <= inputs.keys():
            inputs["lengths"] = torch.full_like(inputs["lengths"], inputs["input"].shape[1])
        operands: dict[str, Any] = {**inputs, MODULE.key: module}
        for key, code in lowering.steps.items():
            operands[key] = run(code, operands)
        alone = next((port.alone for port in lowering.ports.values()), None)
        if alone is not None:
            return list(inputs.values()), [run(alone, operands)]
        called = lowering.call or module_call(*map(Operand, inputs))
        operands[RESULT.key] = run(called, operands)
        ports = [port.code for port in lowering.ports.values()] or [RESULT]
        results = [run(code, operands) for code in ports]
        return list(inputs.values()), [one for one in results if isinstance(one, Tensor)]


def counted(function: Callable[[], Any]) -> int:
    """Return the MACs that torch counts, with fused kernels off, as it does not see into them."""
    with (
        FlopCounterMode(display=False) as counter,
        torch.backends.mkldnn.flags(enabled=False),
        sdpa_kernel(SDPBackend.MATH),
    ):
        function()
    return counter.get_total_flops() // 2


def stateless(sources: Any) -> bool:
    """Return whether no source is the state of a recurrent layer, which is not a tensor."""
    types = sources.values() if isinstance(sources, Mapping) else [sources]
    return all(type_.dtype in DTYPES for type_ in types)


@cache
def lowered() -> list[Lowered]:
    """Return the cases of the conformance tables, except for the recurrent layers that are given a state."""
    tables = (
        *((case.layer, case.sources, case.options) for case in test_conformance.CASES),
        *((case.merge, case.sources, case.options) for case in test_merges.CASES),
    )
    return [Lowered(*case) for case in tables if stateless(case[1])]


def test_macs_are_those_that_torch_counts() -> None:
    wrong = []
    for case in lowered():
        torch_counts, macs = counted(case.run), case.macs if case.lowering.products else 0
        if macs != torch_counts and not (case.name in UNKNOWN_TO_TORCH and torch_counts == 0):
            wrong.append((case.id, macs, torch_counts))
    assert not wrong, wrong


@each("name", NOT_COUNTED)
def test_a_bilinear_form_multiplies_by_each_weight(name: str) -> None:
    keys = operation(name).inputs.names
    case = Lowered(name, dict(zip(keys, (tensor(6), tensor(5)), strict=True)), {"out_features": 3})
    assert case.macs == BATCH_SIZE * 3 * 6 * 5


@settings(max_examples=150)
@given(st.data())
def test_an_einsum_multiplies_from_left_to_right(data: st.DataObject) -> None:
    sizes = {letter: data.draw(st.sampled_from([1, 2, 3]), letter) for letter in "abcd"}
    axes = st.lists(st.sampled_from("abcd"), min_size=1, unique=True)
    terms = data.draw(st.lists(axes, min_size=2, max_size=4), "terms")
    there = sorted({letter for term in terms for letter in term})
    result = data.draw(st.lists(st.sampled_from(there), unique=True), "result")
    lacks_batch = data.draw(st.integers(0, len(terms)), "lacks_batch")
    sources = {
        str(i): (unbatched if i == lacks_batch else tensor)(*map(sizes.__getitem__, term))
        for i, term in enumerate(terms)
    }
    written = ("".join(["n" * (i != lacks_batch), *term]) for i, term in enumerate(terms))
    case = Lowered("einsum", sources, {"equation": f"{','.join(written)}->n{''.join(result)}"})
    assert case.macs == counted(case.run)


# memory


SOMETIMES_A_VIEW = {"einsum", "ViewAsComplex"}  # of one source, its axes moved or in order


def storage(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


def test_layers_that_make_no_tensor_return_a_view_of_a_source() -> None:
    wrong = []
    for case in lowered():
        if not case.lowering.products and case.name not in SOMETIMES_A_VIEW:
            inputs, results = case.run()
            there = set(map(storage, inputs))
            is_view = bool(results) and all(storage(result) in there for result in results)
            if is_view != (case.lowering.makes == ()):
                wrong.append(case.id)
    assert not wrong, wrong


CHAINS = {  # the shape of x, nodes, and what is made beside what modules return, for each sample
    "images": (
        "[3, 8, 8]",
        """
        a: {layer: Conv2d, from: x, out_channels: 4, kernel_size: 3}
        b: {layer: BatchNorm2d, from: a}
        c: {layer: ReLU, from: b}
        d: {layer: MaxPool2d, from: c, kernel_size: 2}
        y: {layer: Flatten, from: d}
        """,
        0,
    ),
    "in place": (
        "[7]",
        """
        a: {layer: Linear, from: x, out_features: 4}
        b: {layer: ReLU, from: a, inplace: true}
        y: {layer: Dropout, from: b}
        """,
        0,
    ),
    "recurrent": (
        "[5, 6]",
        """
        a: {layer: LSTM, from: x, hidden_size: 4}
        b: {layer: GRU, from: a, hidden_size: 3, bidirectional: true}
        y: {layer: RNN, from: b, hidden_size: 2}
        """,
        0,
    ),
    # a layer of a Transformer has a sum before each norm
    "encoder": (
        "[5, 6]",
        """
        y: {layer: TransformerEncoder, from: x, nhead: 2, num_layers: 2, dim_feedforward: 7, norm: LayerNorm}
        """,
        2 * 2 * 5 * 6,
    ),
    "transformer": (
        "[5, 6]",
        """
        y: {layer: Transformer, from: [x, x], nhead: 2, num_encoder_layers: 2, num_decoder_layers: 1,
            dim_feedforward: 7}
        """,
        2 * 2 * 5 * 6 + 3 * 5 * 6,
    ),
}


@each("shape, nodes, unseen", CHAINS)
def test_activations_are_the_new_storages_of_a_forward(shape: str, nodes: str, unseen: int) -> None:
    graph = mg.loads(f"inputs: {{x: {shape}}}\nnodes:{nodes}\noutputs: y")
    model = graph.compile().eval()
    inputs = seeded_inputs(graph.typed, BATCH_SIZE, 0, {})
    seen = {storage(x): x for x in inputs.values()}
    made: dict[int, Tensor] = {}

    def hook(_: nn.Module, __: Any, result: Any) -> None:
        made.update({storage(x): x for x in tensors(result) if storage(x) not in seen})

    for module in model.modules():
        module.register_forward_hook(hook)
    model(**inputs)
    size = sum(x.untyped_storage().nbytes() for x in made.values())
    assert graph.summary(batch=BATCH_SIZE).activations == size + 4 * BATCH_SIZE * unseen


RESHAPES = {
    "a result": "y: {layer: Flatten, from: x}",
    "permuted": "y: {from: x, seq: [{Permute: [0, 2, 1]}, Flatten]}",
    "transposed": """t: {layer: Transpose, from: x, dim0: 1, dim1: 2}
        y: {layer: Reshape, from: t, shape: [24]}""",
    "expanded": """
        y: {from: x, seq: [{Unsqueeze: 1}, {Expand: {size: [3, 4, 6]}}, {Flatten: {end_dim: 2}}]}""",
    "sliced": "y: {from: x, seq: [{Slice: {dim: 2, end: 3}}, Flatten]}",
    "a part": """c: {layer: Chunk, from: x, chunks: 2, dim: 2}
        y: {layer: Flatten, from: c.1}""",
    "moved in a block": """m: {block: move, from: x}
        y: {layer: Flatten, from: m}""",
    "moved, then made anew": """m: {block: move, from: x}
        c: {merge: concat, from: [m, m]}
        y: {layer: Flatten, from: c}""",
    "joined behind a move": 'y: {from: x, seq: [{Rearrange: "n a b -> n (b a)"}, {Reshape: [4, 6]}]}',
    "moved behind a join": """c: {layer: Unsqueeze, from: x, dim: 1}
        r: {layer: Rearrange, from: c, pattern: "n c a b -> n b (c a)"}
        y: {layer: Flatten, from: r}""",
    "nothing to join": """m: {block: move, from: x}
        y: {layer: Flatten, from: m, start_dim: 1, end_dim: 1}""",
    "the same dtype": "y: {layer: Cast, from: x, dtype: float32}",
    "another dtype": "y: {layer: Cast, from: x, dtype: float64}",
    "dropout": "y: {layer: Dropout, from: x}",
}


class Storages(TorchDispatchMode):
    """Collects the storages that ops allocate."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, Tensor] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.made.update({storage(x): x for x in tensors(result)})
        return result


@each("nodes", RESHAPES)
def test_a_reshape_is_counted_where_torch_copies(nodes: str) -> None:
    graph = mg.loads(f"""
    inputs: {{x: [4, 6]}}
    blocks: {{move: {{seq: [{{Permute: [0, 2, 1]}}]}}}}
    nodes:
        {nodes}
    outputs: y""")
    x = torch.ones(1, 4, 6)
    with Storages() as storages:
        graph.compile().eval()(x=x)
    storages.made.pop(storage(x), None)
    made = sum(one.untyped_storage().nbytes() for one in storages.made.values())
    assert graph.summary().activations == made


def tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, tuple):
        for item in result:
            yield from tensors(item)


# whole graphs


def test_macs_and_memory_of_compiled_merges() -> None:
    wrong = {}
    for name, op in ops("merge").items():
        if op.name not in NOT_COUNTED:
            told, torch_counts = told_and_counted(mg.loads(example(op)))
            if told != torch_counts:
                wrong[name] = told, torch_counts
    assert not wrong, wrong


SOME = ("resnet18", "wavenet", "gpt2", "late_fusion", "dlrm")


@pytest.mark.parametrize("name", SOME)
def test_macs_and_memory_of_some_of_the_gallery(name: str) -> None:
    told, torch_counts = told_and_counted(mg.load(ROOT / "specs" / f"{name}.yaml"))
    assert told == torch_counts


@pytest.mark.slow
def test_macs_and_memory_of_the_gallery(spec: Path) -> None:
    told, torch_counts = told_and_counted(mg.load(spec))
    assert told == torch_counts


def told_and_counted(graph: mg.Graph) -> tuple[Any, int]:
    """Return the MACs of the summary, and those that torch counts in a forward.

    Use the meta device, where a forward takes no time, unless the forward reads lengths."""
    sizes = choose_sizes(graph.typed, {})
    inputs = seeded_inputs(graph.typed, BATCH_SIZE, 0, sizes)
    longest = {name: substitute(size, sizes) for name, size in lengths(graph.typed.body)}
    for name, size in longest.items():
        assert not isinstance(size, Dim)
        inputs[name] = torch.full_like(inputs[name], size)
    device = "cpu" if longest else "meta"
    with torch.device(device):
        model = graph.compile().eval()
    fed = {name: x.to(device) for name, x in inputs.items()}
    return graph.summary(BATCH_SIZE, sizes).macs, counted(lambda: model(**fed))


# parts of a graph

PARTS = """
inputs: {x: [T, 8], other: [8]}
blocks:
  body: {inputs: {x: [L, C]}, nodes: {fc: {layer: Linear, from: x, out_features: $C}}, outputs: fc}
  pair: {seq: [{Linear: 8}, ReLU]}
nodes:
  own: {parameter: [3, 8], init: zeros}
  mixed: {layer: Linear, from: own, out_features: 2}
  stage: {block: body, from: x, repeat: 3}
  loop: {block: body, from: stage, repeat: {times: 4, shared: true}}
  steps: {from: loop, seq: [{Linear: {out_features: 8, bias: false}}, {pair: {repeat: 2}}]}
  mean: {layer: Mean, from: steps, dim: 1}
  left: {layer: Linear, from: mean, out_features: 8, activation: ReLU}
  right: {share: left, from: other}
  tables: {layer: Linear, each: [left, right], out_features: 4}
  still: {layer: Linear, from: tables.left, out_features: 4, freeze: true}
  aux: {layer: Linear, from: mean, out_features: 5}
  flat: {layer: Mean, from: mixed, dim: 0}
outputs: {still: still, right: tables.right, flat: flat, aux: {from: aux, only: training}}
"""
OF_PARTS = {  # params, macs, activations in bytes
    "own": (24, "0", "0"),
    "mixed": (18, "48", "24"),
    "stage": (216, "192*N*T", "96*N*T"),
    "stage.2": (72, "64*N*T", "32*N*T"),
    "stage.2.fc": (72, "64*N*T", "32*N*T"),
    "loop": (72, "256*N*T", "128*N*T"),
    "loop.fc": (72, "64*N*T", "32*N*T"),
    "steps": (208, "192*N*T", "160*N*T"),
    "steps.0": (64, "64*N*T", "32*N*T"),
    "steps.1": (144, "128*N*T", "128*N*T"),
    "steps.1.1.0": (72, "64*N*T", "32*N*T"),
    "left": (72, "64*N", "64*N"),
    "right": (0, "64*N", "64*N"),
    "tables": (72, "64*N", "32*N"),
    "tables.left": (36, "32*N", "16*N"),
    "aux": (45, "40*N", "20*N"),
}


@each("path", [*OF_PARTS])
def test_the_cost_of_a_dotted_name(path: str) -> None:
    cost = Costs(mg.loads(PARTS).typed).of(path)
    assert (cost.params, str(cost.macs), str(cost.activations)) == OF_PARTS[path]


@each(
    "path",
    ["x", "stage.3", "stage.fc", "stage.2.bias", "steps.7", "tables.right.0", "output still"],
)
def test_an_unknown_name_has_no_cost(path: str) -> None:
    with pytest.raises(KeyError):
        Costs(mg.loads(PARTS).typed).of(path)


def test_the_total_has_the_weights_but_not_the_work_of_training_only() -> None:
    graph = mg.loads(PARTS)
    costs, model = Costs(graph.typed), graph.compile()
    assert costs.total.params == sum(p.numel() for p in model.parameters())
    assert costs.total.frozen == 4 * 4 + 4
    assert str(costs.total.macs) == "640*N*T + 208*N + 48"
    assert (costs.training.params, str(costs.training.macs)) == (0, "40*N")


def test_a_layer_whose_weights_alone_are_read_has_no_macs() -> None:
    text = """
    inputs: {x: [8]}
    nodes:
      tied: {layer: Linear, from: x, out_features: 8}
      y: {merge: matmul, from: [x, tied.weight]}
    outputs: y
    """
    costs = Costs(mg.loads(text).typed)
    assert (str(costs.of("tied").macs), costs.of("tied").params) == ("0", 72)
    assert str(costs.total.macs) == "64*N"


def test_each_body_is_computed_once() -> None:
    width = 100
    blocks = [f"  b0: {{seq: [{{Linear: {width}}}]}}"]
    blocks += [f"  b{i}: {{seq: [{{b{i - 1}: {{repeat: 10}}}}]}}" for i in range(1, 4)]
    lines = [f"inputs: {{x: [{width}]}}", "blocks:", *blocks]
    graph = mg.loads("\n".join([*lines, "nodes: {y: {from: x, seq: [b3]}}", "outputs: y"]))
    costs = Costs(graph.typed)
    assert costs.total.at({"N": 1}).macs.value == 1000 * width**2
    assert costs.total.params == 1000 * (width + 1) * width
    assert len(costs._bodies) == 5
