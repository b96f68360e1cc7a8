"""Modules after `.to(torch.bfloat16)`, `.to(torch.float16)` and `.double()`.

Each result that inference calls float32 has the dtype of the module, and nearly the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.runtime.runner import seeded_inputs
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
by_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: str(dtype)[6:])


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


def catalogue_cases() -> list[Any]:
    """Return the cases whose sources can be inputs, which have the batch first or none."""
    cases: list[LayerCase | MergeCase] = [*LAYERS, *MERGES]
    cases = [case for case in cases if case[0] not in RANDOM and not across_samples(case[1])]
    return [pytest.param(case, id=str(case)) for case in cases]


def across_samples(sources: TensorType | Mapping[str, TensorType]) -> bool:
    types = [sources] if isinstance(sources, TensorType) else sources.values()
    return any(BATCH in type_.dims for type_ in types)


def check_op(case: LayerCase | MergeCase, dtype: torch.dtype) -> None:
    """Check one op of the registry in this dtype, if torch has it in that."""
    ill = str(case).startswith(ILL)  # of values near 0
    try:
        check(graph_of(*case[:3]), dtype, 0.5 if ill else None)
    except (RuntimeError, NotImplementedError) as error:
        if not any(words in str(error) for words in NO_KERNEL.split("|")):
            raise
        pytest.skip(str(error).splitlines()[0])


@pytest.mark.parametrize("case", catalogue_cases())
def test_every_op_keeps_the_dtype_in_bfloat16(case: LayerCase | MergeCase) -> None:
    check_op(case, torch.bfloat16)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES[1:], ids=lambda dtype: str(dtype)[6:])
@pytest.mark.parametrize("case", catalogue_cases())
def test_every_op_keeps_the_dtype(case: LayerCase | MergeCase, dtype: torch.dtype) -> None:
    check_op(case, dtype)


# what makes tensors, or meets several dtypes

SPECS = {
    "a cast image": """
        inputs: {x: {shape: [3, 6, 6], dtype: uint8}}
        nodes:
          number: {layer: Cast, from: x, dtype: float32}
          y: {layer: Conv2d, from: number, out_channels: 4, kernel_size: 3}
        outputs: y""",
    "a cast in a chain": """
        inputs: {x: {shape: [3, 6, 6], dtype: uint8}}
        nodes: {y: {from: x, seq: [{Cast: float32}, {Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU]}}
        outputs: y""",
    "a cast in a block that is a chain": """
        inputs: {x: {shape: [4], dtype: int64}}
        blocks: {stem: {seq: [{Cast: float32}, {Linear: 3}, Tanh]}}
        nodes: {y: {block: stem, from: x}}
        outputs: y""",
    "a cast of what is float already": """
        inputs: {x: [4]}
        nodes: {y: {layer: Cast, from: x, dtype: float32}, z: {layer: Linear, from: y, out_features: 2}}
        outputs: [y, z]""",
    "a mask as numbers": """
        inputs: {x: [T, 4], mask: {shape: [T], dtype: bool}}
        nodes:
          real: {from: mask, seq: [{Cast: float32}, {Unsqueeze: -1}]}
          y: {merge: multiply, from: [x, real], broadcast: true}
          z: {layer: Linear, from: y, out_features: 2}
        outputs: [real, z]""",
    "a mask cast like another": """
        inputs: {x: [T, 4], mask: {shape: [T], dtype: bool}}
        nodes:
          hidden: {layer: Linear, from: x, out_features: 4}
          typed: {layer: Cast, from: mask, like: hidden}
          real: {layer: Unsqueeze, from: typed, dim: 2}
          y: {merge: multiply, from: [hidden, real], broadcast: true}
        outputs: [typed, y]""",
    "a mean over real steps by hand": """
        inputs: {ids: {shape: [T], vocab: 9}, mask: {shape: [T], dtype: bool}}
        nodes:
          words: {layer: Embedding, from: ids, embedding_dim: 4}
          real: {from: mask, seq: [{Unsqueeze: -1}, {Cast: float32}]}
          kept: {merge: multiply, from: [words, real], broadcast: true}
          total: {layer: Sum, from: kept, dim: 1}
          count: {from: mask, seq: [{Sum: {dim: 1, keepdim: true}}, {Clamp: {min: 1}}]}
          y: {merge: divide, from: [total, count], broadcast: true}
        outputs: [real, y]""",
    "a float mask of attention": """
        inputs: {x: [T, 4], far: {shape: [T, T], dtype: bool}}
        nodes:
          bias: {merge: formula, expr: "where(m, -1e4, 0.0)", from: {m: look}}
          look: {layer: CausalMask, from: x}
          y: {layer: MultiheadAttention, from: {query: x, attn_mask: bias}, num_heads: 2}
          z: {merge: formula, expr: "where(m, 0.5, 0)", from: {m: far}}
        outputs: [y, z]""",
    "a relative bias by distance": """
        inputs: {x: [T, 4]}
        nodes:
          place: {arange: x, dim: 1}
          row: {layer: Unsqueeze, from: place, dim: 1}
          column: {layer: Unsqueeze, from: place, dim: 0}
          bias: {merge: formula, expr: "0.5 * (a - b)", from: {a: row, b: column}, broadcast: true}
          y: {layer: MultiheadAttention, from: {query: x, attn_mask: bias}, num_heads: 2}
        outputs: y""",
    "positions as angles": """
        inputs: {ids: {shape: [T], vocab: 9}}
        nodes:
          words: {layer: Embedding, from: ids, embedding_dim: 4}
          place: {arange: ids, dim: 1}
          column: {layer: Unsqueeze, from: place, dim: 1}
          wave: {merge: formula, expr: "sin(p / 10)", from: {p: column}}
          y: {merge: add, from: [words, wave], broadcast: true}
        outputs: [wave, y]""",
    "positions times learned rates": """
        inputs: {x: [T, 1]}
        nodes:
          rates: {parameter: [4], init: ones}
          place: {arange: x, dim: 1}
          column: {layer: Unsqueeze, from: place, dim: 1}
          angles: {merge: formula, expr: "p / 8 * r", from: {p: column, r: rates}, broadcast: true}
          y: {merge: add, from: [x, angles], broadcast: true}
        outputs: [angles, y]""",
    "a bucket of integers": """
        inputs: {ids: {shape: [T], vocab: 9}}
        nodes:
          place: {arange: ids, dim: 1}
          scaled: {merge: formula, expr: "p / 3", from: {p: place}}
          bucket: {layer: Cast, from: scaled, dtype: int64}
          y: {layer: Embedding, from: bucket, num_embeddings: 200, embedding_dim: 4}
          near: {merge: formula, expr: "s < 1.5", from: {s: scaled}}
        outputs: [y, bucket, near]""",
    "one-hot numbers": """
        inputs: {color: {vocab: 5}}
        nodes: {y: {from: color, seq: [OneHot, {Cast: float32}, {Linear: 3}]}}
        outputs: y""",
    "one-hot numbers times a tensor": """
        inputs: {color: {vocab: 4}, x: [4]}
        nodes: {hot: {layer: OneHot, from: color}, y: {merge: multiply, from: [hot, x]}}
        outputs: [hot, y]""",
    "a true division of integers": """
        inputs: {a: {shape: [4], dtype: int64}, b: {shape: [4], dtype: int64}}
        nodes:
          one: {merge: formula, expr: "b * 0 + 3", from: {b: b}}
          y: {merge: divide, from: [a, one]}
          z: {layer: Linear, from: y, out_features: 2}
        outputs: [y, z]""",
    "a mean of integers": """
        inputs: {a: {shape: [4], dtype: int64}, b: {shape: [4], dtype: int32}, x: [4]}
        nodes: {y: {merge: average, from: [a, b]}, z: {merge: concat, from: [y, x]}}
        outputs: [y, z]""",
    "integers divided, beside a float": """
        inputs: {a: {shape: [4], dtype: int64}, x: [4]}
        nodes: {y: {merge: formula, expr: "a / 3 * x + a * 0.5", from: {a: a, x: x}}}
        outputs: y""",
    "numbers in where": """
        inputs: {x: [4]}
        nodes:
          y: {merge: formula, expr: "where(x > 0, 1.0, 0.25)", from: {x: x}}
          z: {merge: formula, expr: "where(x > 0, x, -0.5)", from: {x: x}}
          w: {merge: formula, expr: "where(x > 0, 2, 0.25) * x + where(x < 0, 1.5, 0)", from: {x: x}}
        outputs: [y, z, w]""",
    "functions of integers": """
        inputs: {n: {shape: [4], dtype: int64}, x: [4]}
        nodes:
          y: {merge: formula, expr: "exp(n) + sqrt(n + 1)", from: {n: n}}
          z: {merge: formula, expr: "sigmoid(n) * x - maximum(n, 0.5)", from: {n: n, x: x}}
          w: {merge: formula, expr: "minimum(n / 2, x) + clamp(n * 0.5, 0, 1)", from: {n: n, x: x}}
        outputs: [y, z, w]""",
    "layers of integers": """
        inputs: {n: {shape: [4], dtype: int64}, x: [2]}
        nodes:
          a: {layer: Sigmoid, from: n}
          b: {layer: Tanh, from: n}
          c: {layer: Softsign, from: n}
          d: {layer: Tanhshrink, from: n}
          e: {layer: Clamp, from: n, max: 0.5}
          f: {layer: LogSumExp, from: n, dim: 1}
          g: {layer: Linear, from: a, out_features: 2}
        outputs: [a, b, c, d, e, f, g, x]""",
    "layers of integers in chains": """
        inputs: {n: {shape: [4], dtype: int64}}
        nodes:
          a: {from: n, seq: [Sigmoid, {Linear: 2}]}
          b: {from: n, seq: [{Clamp: {max: 0.5}}, Tanh]}
          c: {from: n, seq: [{Unsqueeze: 1}, {LPPool1d: {norm_type: 2, kernel_size: 2}}]}
          d: {from: n, seq: [{LogSumExp: {dim: 1, keepdim: true}}, {Linear: 2}]}
        outputs: [a, b, c, d]""",
    "an activation of integers": """
        inputs: {n: {shape: [4], dtype: int64}, color: {vocab: 4}}
        nodes:
          a: {layer: OneHot, from: color, activation: Sigmoid}
          b: {merge: add, from: [n, n], activation: Tanh}
          c: {layer: ArgMax, from: a, dim: 1, activation: Sigmoid}
        outputs: [a, b, c]""",
    "an activation of a block of integers": """
        inputs: {n: {shape: [4], dtype: int64}}
        blocks: {twice: {inputs: [n], nodes: {y: {merge: add, from: [n, n]}}, outputs: y}}
        nodes: {y: {block: twice, from: n}, z: {layer: Sigmoid, from: y}}
        outputs: z""",
    "distances of integers": """
        inputs: {a: {shape: [4], dtype: int64}, b: {shape: [4], dtype: int64}}
        nodes:
          y: {merge: distance, from: [a, b]}
          z: {layer: PairwiseDistance, from: [a, b]}
          w: {merge: factorization, from: [a, b]}
        outputs: [y, z, w]""",
    "norms of integers": """
        inputs: {n: {shape: [4, 6], dtype: int64}}
        nodes: {y: {layer: LocalResponseNorm, from: n, size: 2}, z: {from: n, seq: [{LocalResponseNorm: {size: 2}}]}}
        outputs: [y, z]""",
    "a block without weights": """
        inputs: {ids: {shape: [T], vocab: 9}}
        blocks:
          waves:
            inputs: [ids]
            nodes:
              place: {arange: ids, dim: 1}
              wave: {merge: formula, expr: "cos(p / 10)", from: {p: place}}
              other: {layer: Cast, from: ids, dtype: float32}
            outputs: {wave: wave, other: other}
        nodes:
          words: {layer: Embedding, from: ids, embedding_dim: 4}
          w: {block: waves, from: ids}
          column: {layer: Unsqueeze, from: w.wave, dim: 1}
          y: {merge: add, from: [words, column], broadcast: true}
        outputs: {y: y, other: w.other, wave: w.wave}""",
    "a block with a float input": """
        inputs: {x: [T, 4], mask: {shape: [T], dtype: bool}}
        blocks:
          kept:
            inputs: [x, mask]
            nodes:
              real: {from: mask, seq: [{Unsqueeze: -1}]}
              number: {layer: Cast, from: real, dtype: float32}
              y: {merge: multiply, from: [x, number], broadcast: true}
            outputs: y
        nodes: {y: {block: kept, from: {x: x, mask: mask}, repeat: 2}}
        outputs: y""",
    "a block used on floats and on integers": """
        inputs: {x: [4], n: {shape: [4], dtype: int64}}
        blocks: {halved: {inputs: [v], nodes: {y: {merge: formula, expr: "v / 2", from: {v: v}}}, outputs: y}}
        nodes: {a: {block: halved, from: x}, b: {block: halved, from: n}, c: {merge: add, from: [a, b]}}
        outputs: [a, b, c]""",
    "a block with weights of its own": """
        inputs: {n: {shape: [4], dtype: int64}}
        blocks:
          scaled:
            inputs: [n]
            nodes:
              number: {layer: Cast, from: n, dtype: float32}
              y: {from: number, seq: [{Linear: 4}, ReLU]}
            outputs: y
        nodes: {a: {block: scaled, from: n}, z: {block: scaled, from: n}}
        outputs: [a, z]""",
    "a shared chain": """
        inputs: {a: {shape: [4], dtype: int64}, b: {shape: [4], dtype: int64}}
        nodes:
          one: {from: a, seq: [{Cast: float32}, {Linear: 3}]}
          two: {share: one, from: b}
          y: {merge: cosine, from: [one, two]}
        outputs: y""",
    "one for each column": """
        inputs: {a: {shape: [4], dtype: int64}, b: {shape: [4], dtype: int64}}
        nodes:
          e: {layer: Cast, each: [a, b], dtype: float32}
          f: {seq: [{Cast: float32}, {Linear: 2}], each: [a, b]}
          y: {merge: concat, from: [e.*, f.*]}
        outputs: y""",
    "zeros where an input is missing": """
        inputs: {ids: {shape: [T], vocab: 9}, audio: {shape: [4], optional: true}}
        nodes:
          words: {layer: Embedding, from: ids, embedding_dim: 4}
          mean: {layer: Mean, from: words, dim: 1}
          heard: {layer: Fill, from: audio, value: zeros}
          y: {merge: concat, from: [mean, heard]}
        outputs: y""",
    "samples with missing inputs": """
        inputs: {x: [4], has: {shape: [], dtype: bool}}
        nodes:
          a: {layer: Fill, from: {input: x, present: has}, value: zeros}
          b: {layer: Fill, from: {input: x, present: has}, value: learned, init: ones}
        outputs: [a, b]""",
    "fills and pads": """
        inputs: {x: [T, 4], mask: {shape: [T, 4], dtype: bool}, long: [S, 4]}
        nodes:
          a: {merge: masked_fill, from: [x, mask], value: -.inf}
          b: {merge: masked_fill, from: [x, mask], value: 0.5}
          c: {merge: where, from: {condition: mask, input: x, other: b}}
          d: {layer: ConstantPad1d, from: x, padding: 1, value: 0.1}
        outputs: {a: a, b: b, c: c, d: d, long: long}""",
    "where of integers and floats": """
        inputs: {x: [4], n: {shape: [4], dtype: int64}, m: {shape: [4], dtype: bool}}
        nodes:
          a: {merge: where, from: {condition: m, input: n, other: x}}
          b: {merge: maximum, from: [n, x]}
          c: {merge: add, from: [n, x, m]}
        outputs: [a, b, c]""",
    "scattered amounts": """
        inputs: {group: {shape: [6], dtype: int64}, amount: {shape: [6], dtype: int64}, x: [6]}
        nodes:
          totals: {buffer: [3], init: zeros, batched: true}
          number: {layer: Cast, from: amount, dtype: float32}
          a: {merge: scatter_add, from: {input: totals, index: group, src: number}, dim: 1}
          b: {merge: scatter_add, from: {input: totals, index: group, src: x}, dim: 1}
        outputs: [a, b]""",
    "buffers and positions": """
        inputs: {x: [6, 4]}
        nodes:
          table: {buffer: [6, 4], init: sinusoid}
          cls: {parameter: [1, 4], init: {normal: {std: 0.02}}, batched: true}
          steps: {buffer: [6, 1], init: [[0], [1], [2], [3], [4], [5]], dtype: int64}
          slope: {merge: formula, expr: "s / 6", from: {s: steps}}
          a: {merge: add, from: [x, table, slope], broadcast: true}
          y: {merge: concat, from: [cls, a], dim: 1}
        outputs: y""",
    "lengths and pools": """
        inputs: {x: [T, 4], length: {shape: [], dtype: int64}}
        nodes:
          real: {merge: sequence_mask, from: {lengths: length, like: x}}
          a: {merge: mean_pool, from: {input: x, mask: real}}
          b: {merge: max_pool, from: {input: x, mask: real}}
          c: {merge: last_pool, from: {input: x, mask: real}}
          d: {merge: attention_pool, from: {input: x, mask: real}, hidden_features: 3}
          e: {layer: LSTM, from: {input: x, lengths: length}, hidden_size: 3, take: last}
          f: {layer: GRU, from: x, hidden_size: 3, take: hidden}
          g: {merge: formula, expr: "n / 10", from: {n: length}}
        outputs: [a, b, c, d, e, f, g]""",
    "attention with masks": """
        inputs: {x: [T, 4], real: {shape: [T], dtype: bool}}
        nodes:
          a: {merge: attention, from: {query: x, key: x, value: x, mask: real}}
          look: {layer: CausalMask, from: x}
          see: {layer: LogicalNot, from: look}
          b: {layer: MultiheadAttention, from: {query: x, attn_mask: look}, num_heads: 2}
          c: {layer: TransformerEncoderLayer, from: x, nhead: 2, dim_feedforward: 4, is_causal: true}
          d: {layer: Cast, from: see, dtype: float32}
          far: {merge: formula, expr: "where(m, -1e4, 0.5)", from: {m: look}}
          e: {merge: attention, from: {query: x, key: x, value: x, mask: real, bias: far}}
        outputs: [a, b, c, d, e]""",
    "counts of given inputs": """
        inputs: {x: [T, 4], ids: {shape: [T], vocab: 9}}
        nodes:
          there: {merge: formula, expr: "i != 0", from: {i: ids}}
          count: {layer: Sum, from: there, dim: 1, keepdim: true}
          share: {merge: formula, expr: "c / 8", from: {c: count}}
          log: {merge: formula, expr: "log(c + 1)", from: {c: count}}
          mean: {layer: Mean, from: x, dim: 1}
          y: {merge: concat, from: [mean, share, log]}
          z: {merge: formula, expr: "m / (c + 1)", from: {m: mean, c: count}, broadcast: true}
        outputs: [y, z]""",
    "halves beside the model's dtype": """
        inputs: {x: [4]}
        nodes:
          short: {layer: Cast, from: x, dtype: float16}
          brain: {layer: Cast, from: x, dtype: bfloat16}
          long: {layer: Cast, from: x, dtype: float64}
          a: {merge: add, from: [short, brain]}
          b: {merge: multiply, from: [short, x]}
          c: {merge: formula, expr: "d * x + h / 2", from: {d: long, x: x, h: short}}
          d: {layer: Cast, from: c, dtype: float32}
          e: {layer: Linear, from: d, out_features: 2}
        outputs: [short, long, a, b, c, d, e]""",
    "weights of nodes with names of nn.Module": """
        inputs: {n: {shape: [4], dtype: int64}}
        nodes:
          half: {layer: Linear, from: a, out_features: 3}
          a: {merge: formula, expr: "n / 7", from: {n: n}}
        outputs: half""",
    "such weights in a block": """
        inputs: {n: {shape: [4], dtype: int64}}
        blocks:
          head:
            inputs: [v]
            nodes: {type: {layer: Linear, from: v, out_features: 3}}
            outputs: type
        nodes:
          a: {merge: formula, expr: "n / 7", from: {n: n}}
          double: {block: head, from: a}
        outputs: double""",
    "nothing but integers": """
        inputs: {n: {shape: [4], dtype: int64}}
        nodes: {like: {merge: formula, expr: "n / 7", from: {n: n}}}
        outputs: like""",
}

by_spec = pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)


@by_spec
@by_dtype
def test_ops_that_make_tensors_keep_the_dtype_of_the_model(text: str, dtype: torch.dtype) -> None:
    check(mg.loads(text), dtype)


@pytest.mark.slow
@by_spec
def test_it_compiles_into_one_graph(text: str) -> None:
    """It does if torch can put all its ops into a graph."""
    graph = mg.loads(text)
    if "LSTM" in text:
        pytest.skip("torch puts no lengths into a graph")
    module, inputs = (
        graph.compile().eval().to(torch.bfloat16),
        cast(inputs_of(graph), torch.bfloat16),
    )
    torch._dynamo.reset()
    found = run(torch.compile(module, fullgraph=True, backend="eager"), inputs, graph)
    expected = run(module, inputs, graph)
    torch.testing.assert_close(found, expected, equal_nan=True)
