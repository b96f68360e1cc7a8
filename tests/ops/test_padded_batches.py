"""Padded batches: each sample gives the same result as alone, without its padding."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.runtime.runner import Given, run
from tests.helpers.running import by_name
from tests.ops.layers.oracle import TORCH

HEAD = "inputs: {x: [T, 6], y: [T, 6], lengths: {shape: [], dtype: LENGTH}}\nnodes:\n"
SHARED = {  # nodes to add if the nodes after them use them, so the last one comes first
    "both": "{merge: add, from: [x, y]}",
    "padding": "{layer: LogicalNot, from: real}",
    "real": "{merge: sequence_mask, from: {lengths: lengths, like: x}}",
}
POOLS = {
    name: f"  z: {{merge: {name}, from: {{input: both, mask: real}}}}\noutputs: {{last: z}}\n"
    for name in ("mean_pool", "max_pool", "last_pool", "attention_pool")
}
POOLS["attention_pool, hidden"] = POOLS["attention_pool"].replace(
    "attention_pool,", "attention_pool, hidden_features: 5,"
)
# nodes with a result for each step; only the results at real steps are compared
STEPS = {
    "attention": """
  z: {merge: attention, from: {query: x, key: y, value: y, mask: real}}
outputs: {output: z}
""",
    "attention, heads": """
  q: {layer: Rearrange, from: x, pattern: "n t (h c) -> n h t c", sizes: {h: 2}}
  k: {layer: Rearrange, from: y, pattern: "n t (h c) -> n h t c", sizes: {h: 2}}
  z: {merge: attention, from: {query: q, key: k, value: k, mask: real}}
  joined: {layer: Rearrange, from: z, pattern: "n h t c -> n t (h c)"}
outputs: {output: joined}
""",
    "attention, causal": """
  ahead: {layer: CausalMask, from: x}
  row: {layer: Unsqueeze, from: padding, dim: 1}
  hidden: {merge: logical_or, from: [row, ahead], broadcast: true}
  seen: {layer: LogicalNot, from: hidden}
  z: {merge: attention, from: {query: x, key: y, value: y, mask: seen}}
outputs: {output: z}
""",
    "attention, heads, causal": """
  q: {layer: Rearrange, from: x, pattern: "n t (h c) -> n h t c", sizes: {h: 2}}
  k: {layer: Rearrange, from: y, pattern: "n t (h c) -> n h t c", sizes: {h: 2}}
  ahead: {layer: CausalMask, from: x}
  row: {layer: Rearrange, from: padding, pattern: "n t -> n 1 1 t"}
  hidden: {merge: logical_or, from: [row, ahead], broadcast: true}
  seen: {layer: LogicalNot, from: hidden}
  z: {merge: attention, from: {query: q, key: k, value: k, mask: seen}}
  joined: {layer: Rearrange, from: z, pattern: "n h t c -> n t (h c)"}
outputs: {output: joined}
""",
    "MultiheadAttention, causal": """
  z:
    layer: MultiheadAttention
    from: {query: both, key_padding_mask: padding}
    num_heads: 2
    is_causal: true
outputs: {output: z}
""",
    "TransformerDecoder, causal": """
  z:
    layer: TransformerDecoder
    from: {tgt: x, memory: y, tgt_key_padding_mask: padding, memory_key_padding_mask: padding}
    nhead: 2
    num_layers: 2
    dim_feedforward: 7
    dropout: 0
    tgt_is_causal: true
outputs: {output: z}
""",
    **{
        f"{layer}, {options}": f"  z: {{layer: {layer}, from: {{input: both, lengths: lengths}}, "
        f"hidden_size: 3, {options}}}\noutputs: {{output: z, last: z.last}}\n"
        for layer in ("LSTM", "GRU", "RNN")
        for options in ("num_layers: 1", "num_layers: 2, bidirectional: true")
    },
}
CASES = {**POOLS, **STEPS}


def load(case: str, dtype: str = "int64") -> mg.Graph:
    """Return the case as a spec, with the shared nodes that it uses."""
    body = CASES[case].removeprefix("\n")
    for name, node in SHARED.items():
        if name in body:
            body = f"  {name}: {node}\n{body}"
    return mg.loads(HEAD.replace("LENGTH", dtype) + body)


def padded(lengths: list[int], steps: int, seed: int, dtype: str) -> dict[str, Tensor]:
    """Return sequences with random values in their padding."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), steps, 6)
    values = {name: torch.randn(shape, generator=generator) for name in ("x", "y")}
    return values | {"lengths": torch.tensor(lengths, dtype=getattr(torch, dtype))}


def results(model: nn.Module, inputs: Mapping[str, Tensor], graph: mg.Graph) -> dict[str, Tensor]:
    return by_name(model(**inputs), graph)


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=12, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    more=st.integers(0, 2),
    dtype=st.sampled_from(["int64", "int32"]),
    seed=st.integers(0, 99),
)
def test_each_sample_gives_the_same_result_as_alone(
    case: str, lengths: list[int], more: int, dtype: str, seed: int
) -> None:
    graph = load(case, dtype)
    model = graph.compile().eval()
    steps = max(lengths) + more
    inputs = padded(lengths, steps, seed, dtype)
    with torch.no_grad():
        found = results(model, inputs, graph)
        for row, length in enumerate(lengths):
            alone = {n: x[row : row + 1] for n, x in inputs.items()}
            alone |= {name: alone[name][:, :length] for name in ("x", "y")}
            expected = results(model, alone, graph)
            for name, value in found.items():
                real = value[row, :length] if name == "output" else value[row]
                torch.testing.assert_close(real, expected[name][0], rtol=1e-4, atol=1e-5)
            if "last" in found and "output" in found:
                assert found["output"].shape[1] == steps
                assert not found["output"][row, length:].any()


# --- pools without a real step, in other precisions, and compiled

by_pool = pytest.mark.parametrize("pool", POOLS)


@by_pool
def test_a_sample_of_length_zero_gives_zero_and_a_gradient(pool: str) -> None:
    model = load(pool).compile()
    inputs = padded([0, 3], 4, 0, "int64")
    learned = [*model.parameters(), inputs["x"].requires_grad_()]
    found = model(**inputs)
    assert not found[0].any() and found[1].all()
    found.sum().backward()
    for tensor in learned:
        assert tensor.grad is not None and tensor.grad.isfinite().all()


@by_pool
def test_pools_in_other_dtypes(pool: str) -> None:
    model, inputs = load(pool).compile(), padded([0, 3, 2], 4, 0, "int64")
    with torch.no_grad():
        expected = model(**inputs)
        with torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(model(**inputs).float(), expected, rtol=0.05, atol=0.05)
        for dtype in (torch.bfloat16, torch.float16):
            cast = {name: x.to(dtype) for name, x in inputs.items() if name != "lengths"}
            found = model.to(dtype)(**inputs | cast)
            assert found.dtype == dtype
            torch.testing.assert_close(found.float(), expected, rtol=0.05, atol=0.05)


@pytest.mark.slow
@pytest.mark.skipif(TORCH < (2, 13), reason="torch 2.10 compiles again for each length")
@by_pool
def test_pools_compile_in_one_graph_for_all_lengths(pool: str) -> None:
    model = load(pool).compile()
    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend="eager")
    for steps in (4, 7):
        inputs = padded([1, 3, 4], steps, 0, "int64")
        torch.testing.assert_close(compiled(**inputs), model(**inputs))
    dynamic = {name: {1: torch.export.Dim("steps", min=2)} for name in ("x", "y")}
    exported = torch.export.export(model, (), inputs, dynamic_shapes=dynamic | {"lengths": None})
    inputs = padded([2, 4, 1], 5, 0, "int64")
    torch.testing.assert_close(exported.module()(**inputs), model(**inputs))


# masks


def test_a_mask_of_padding_tokens_equals_the_mask_of_lengths() -> None:
    graph = mg.loads("""
inputs: {ids: {vocab: 9, shape: [T]}, lengths: {shape: [], dtype: int64}}
nodes:
  numbers: {merge: formula, expr: "t != 0", from: {t: ids}}
  counts: {merge: sequence_mask, from: {lengths: lengths, like: ids}}
outputs: [numbers, counts]
""")
    assert {type_.dtype for type_ in graph.outputs.values()} == {"bool"}
    ids = torch.tensor([[4, 2, 0], [8, 1, 3], [0, 0, 0]])
    found = graph.compile()(ids=ids, lengths=torch.tensor([2, 3, 0]))
    assert torch.equal(found["numbers"], found["counts"])
    assert torch.equal(found["counts"], ids > 0)


def test_a_run_makes_legal_lengths_for_blocks_too() -> None:
    graph = mg.loads("""
inputs: {x: [T, 8], lengths: {shape: [], dtype: int64}}
blocks:
  encoder:
    inputs: {x: [S, D], lengths: []}
    nodes: {y: {layer: GRU, from: {input: x, lengths: lengths}, hidden_size: 3, take: last}}
    outputs: y
nodes: {y: {block: encoder, from: [x, lengths]}}
outputs: y
""")
    found = run(graph.typed, graph.compile, Given(None, 9, {}), None, seed=0)
    assert found.outputs["y"].isfinite().all()
