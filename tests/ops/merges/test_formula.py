"""Formulas of params, of sizes known only at run time, and of conditions, in whole models."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.cases import check_each
from tests.helpers.marked import faults, locations

SPEC = """\
params: {{k: 3, rate: 0.5}}
inputs: {{x: [T, 4], y: [T, 4]}}
nodes:
  f: {{merge: formula, from: [x, y], expr: "{expr}"}}
outputs: f
"""
# the formula, its code, and the same by hand for T = 7
CASES = {
    "x / sqrt($T) + y": ("x / x.shape[1] ** 0.5 + y", lambda x, y: x / 7**0.5 + y),
    "x * y * $(2 * k + 1)": ("x * y * 7", lambda x, y: x * y * 7),
    "x * y * $(k)": ("x * y * 3", lambda x, y: x * y * 3),
    "x * y * $(k * T - 1)": ("x * y * (3 * x.shape[1] - 1)", lambda x, y: x * y * 20),
    "x + y / -$T": ("x + y / -x.shape[1]", lambda x, y: x - y / 7),
    "x * y * 0.5 ** $T": ("x * y * 0.5 ** x.shape[1]", lambda x, y: x * y * 0.5**7),
    "x * y * ($T // 2 + $T % 2)": (
        "x * y * (x.shape[1] // 2 + x.shape[1] % 2)",
        lambda x, y: x * y * 4,
    ),
    "x * y * ($T / 2 - 1)": ("x * y * (x.shape[1] / 2 - 1)", lambda x, y: x * y * 2.5),
    "x * y * $T ** 2": ("x * y * x.shape[1] ** 2", lambda x, y: x * y * 49),
    "maximum(x, 1 / $T) * clamp(y, 0, $T - 6.5)": (
        "x.clamp(min=1 / x.shape[1]) * y.clamp(0, x.shape[1] - 6.5)",
        lambda x, y: x.clamp(min=1 / 7) * y.clamp(0, 0.5),
    ),
    "where(7 * x > $T / 2 and not y > $rate, x, y)": (
        "torch.where( torch.logical_and(7 * x > x.shape[1] / 2, torch.logical_not(y > 0.5)), x, y, )",
        lambda x, y: torch.where((7 * x > 3.5) & ~(y > 0.5), x, y),
    ),
    "(x > 0.5 or y > 0.5) * 1.0": (
        "torch.logical_or(x > 0.5, y > 0.5) * 1.0",
        lambda x, y: ((x > 0.5) | (y > 0.5)).float(),
    ),
    "not x * y": ("torch.logical_not(x * y)", lambda x, y: x * y == 0),
}


def test_a_formula_is_written_and_computed_as_by_hand() -> None:
    check_each(CASES, is_as_by_hand)


def is_as_by_hand(expr: str) -> None:
    code, by_hand = CASES[expr]
    graph = mg.loads(SPEC.format(expr=expr))
    assert code in " ".join(graph.source().split())
    inputs = {"x": torch.rand(2, 7, 4), "y": torch.rand(2, 7, 4)}
    torch.testing.assert_close(graph.compile()(**inputs), by_hand(**inputs))
    assert (
        mg.loads(graph.dumps()) == graph and f'"{expr}"' in graph.dumps() or expr in graph.dumps()
    )


SCALED = """\
params: {k: 2}
inputs: {x: [T, 6], image: [T, 6, 6]}
blocks:
  scaled:
    params: {k: 1}
    inputs: {v: [L, D]}
    nodes: {f: {merge: formula, from: [v], expr: v * $(k * D) / sqrt($L)}}
    outputs: f
nodes:
  a: {block: scaled, from: x}
  half: {layer: Slice, from: a, dim: 1, end: $(T // 2)}
  b: {block: scaled, from: half, k: $k}
outputs: {b: b, image: image}
"""


class Scaled(nn.Module):
    def forward(self, x: Tensor, image: Tensor) -> dict[str, Tensor]:
        a = x * 6 / x.shape[1] ** 0.5
        half = a[:, : x.shape[1] // 2]
        return {"b": half * 12 / half.shape[1] ** 0.5, "image": image}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_sizes_of_a_block_are_those_of_each_use(dtype: torch.dtype) -> None:
    graph = mg.loads(SCALED)
    model = graph.compile().to(dtype)
    for steps in (4, 9):
        inputs = {"x": torch.rand(2, steps, 6, dtype=dtype), "image": torch.rand(2, steps, 6, 6)}
        torch.testing.assert_close(model(**inputs), Scaled()(**inputs))
    assert mg.loads(graph.dumps()) == graph


@pytest.mark.slow
def test_exports_and_compiles_for_every_length() -> None:
    model = mg.loads(SPEC.format(expr="x / sqrt($T) + y * $(T - 1)")).compile()
    inputs = {"x": torch.rand(2, 7, 4), "y": torch.rand(2, 7, 4)}
    longer = {"x": torch.rand(2, 9, 4), "y": torch.rand(2, 9, 4)}
    steps = torch.export.Dim("T", min=2, max=50)
    exported = torch.export.export(
        model, (), inputs, dynamic_shapes={"x": {1: steps}, "y": {1: steps}}
    )
    torch.testing.assert_close(exported.module()(**longer), model(**longer))
    compiled = torch.compile(model, backend="eager", dynamic=True, fullgraph=True)
    torch.testing.assert_close(compiled(**longer), model(**longer))


# the formula, its constraint, and lengths that meet it and that do not
CONSTRAINED = {
    "x * y * sqrt($T - 5)": ("T >= 5", 5, 4),
    "x * y * ($T // 2 - 2) ** 0.5": ("T//2 >= 2", 4, 3),
    "x * y * ($T - 5) ** -0.5": ("T != 5", 6, 5),
    "x * y / (1 / ($T - 5))": ("T != 5", 4, 5),
    "x * y * (2 / (sqrt($T - 4) * $T))": ("T != 4", 5, 4),
    "x * y * (3 // (10 - 2 * $T))": ("T != 5", 6, 5),
    "x * y * (7 % ($T % 2))": ("T % 2 != 0", 5, 4),
    "x * y * sqrt($T / 4 - 1.5)": ("T >= 6", 6, 5),
    "x * y * (1 / (2 - 0.25 * $T))": ("T != 8", 4, 8),
    "x * y * (1 + $T / -4) ** 0.5": ("T <= 4", 4, 5),
    "x * y * 2.0 ** (200 * $T)": ("T <= 5", 5, 6),
    "x * y * 2.0 ** (800 * $T / 4)": ("T <= 5", 5, 6),
    "x * y * 0.5 ** -(200 * $T)": ("T <= 5", 5, 6),
    "x * y * $T ** 400.0": ("T <= 5", 5, 6),
    "x * y * ($T / 2) ** 400.0": ("T <= 11", 11, 12),
}
# computed for every length
ALWAYS = ("sqrt($T / 4 + 1)", "sqrt(2 / $T)", "0.5 ** $T", "1 / (1 - 0.5 ** $T)", "(-0.5) ** $T")


def test_a_size_has_a_constraint_where_python_has_no_real_value() -> None:
    check_each(CONSTRAINED, is_constrained)


def is_constrained(expr: str) -> None:
    constraint, good, bad = CONSTRAINED[expr]
    graph = mg.loads(SPEC.format(expr=expr))
    assert constraint in [str(one) for one in graph.typed.constraints]
    model = graph.compile(check=True)
    assert not model(x=torch.rand(2, good, 4), y=torch.rand(2, good, 4)).is_complex()
    with pytest.raises(ValueError, match=re.escape(f"{constraint} does not hold: T is {bad}")):
        model(x=torch.rand(2, bad, 4), y=torch.rand(2, bad, 4))


def test_no_constraint_stands_where_every_length_has_a_value() -> None:
    graph = mg.loads(SPEC.format(expr=" + ".join(("x / y", *ALWAYS))))
    assert not graph.typed.constraints


@pytest.mark.parametrize("expr", ["x // ($T - 5)", "x % ($T - 5)", "x ** ($T - 6)"])
def test_integer_tensors_have_the_constraints_of_torch(expr: str) -> None:
    spec = f"inputs: {{x: {{shape: [T], dtype: int64}}}}\nnodes: {{f: {{merge: formula, from: [x], expr: {expr}}}}}\noutputs: f\n"
    graph = mg.loads(spec)
    assert len(graph.typed.constraints) == 1
    with pytest.raises(RuntimeError, match="does not hold: T is 5"):
        graph.compile()(x=torch.ones(2, 5, dtype=torch.int64))
    (fault,) = faults(spec.replace("($T - 5)", "0").replace("($T - 6)", "(-$T)"))
    assert fault.message in ("division by zero", "whole numbers have no negative power")


def test_thousands_of_unclosed_parentheses_are_refused_at_once() -> None:
    (fault,) = faults(SPEC.format(expr="x * y * " + "$(" * 100_000))
    assert fault.code == "too-large"


def test_a_size_that_no_tensor_has_is_a_fault() -> None:
    block = "p: {params: {n: 1}, inputs: [v], nodes: {f: {merge: formula, from: [v], expr: ⟦symbolic-size⟧v * $n}}, outputs: f}"
    spec = (
        f"inputs: {{x: [4], y: [T]}}\nblocks:\n  {block}\n"
        "nodes:\n  a: {block: p, from: x, n: $T}\noutputs: [a, y]\n"
    )
    found = locations(spec.replace("⟦symbolic-size⟧", ""))
    assert found == ["symbolic-size 3:81"]


def test_a_source_is_named_if_others_have_names() -> None:
    spec = (
        "inputs: {gate: [4], image: [4], text: [4]}\nnodes:\n"
        "  f: {merge: formula, expr: g * image + text, from: {g: gate, image: image}}\n"
        "outputs: f\n"
    )
    assert [fault.help for fault in faults(spec)] == [
        "add it to from: {g: gate, image: image, text: text}"
    ]


@pytest.mark.parametrize(
    ("sources", "expr", "help"),
    [
        ("{a: x}", "x * 2", "write a, the name that from gives to x"),
        ("{a: x, b: y}", "x + b", "write a, the name that from gives to x"),
        ("{a: x, b: y}", "b + z", "add it to from: {b: y, z: z}"),
        ("[x, y]", "x + z", "add it to from: [x, z]"),
    ],
)
def test_a_source_that_the_formula_does_not_use(sources: str, expr: str, help: str) -> None:
    spec = (
        "inputs: {x: [4], y: [4], z: [4]}\nnodes:\n"
        f"  f: {{merge: formula, expr: {expr}, from: {sources}}}\noutputs: {{f: f, x: x, y: y, z: z}}\n"
    )
    assert [fault.help for fault in faults(spec)] == [help]


@mg.block
def scaled(v: mg.Tensor, *, k: int = 1) -> mg.Tensor:
    length, width = v.dims
    return merges.formula("v * f / sqrt(n)", v=v, f=k * width, n=length, name="f")


def test_python_gives_numbers_and_sizes_by_keywords() -> None:
    x, image = mg.Input("x", ("T", 6)), mg.Input("image", ("T", 6, 6))
    a = scaled()(x, name="a")
    half = layers.Slice(dim=1, end=x.dims[0] // 2)(a, name="half")
    b = scaled(k=2)(half, name="b")
    graph = mg.Graph({"b": b, "image": image})
    inputs = {"x": torch.rand(2, 9, 6), "image": torch.rand(2, 9, 6, 6)}
    torch.testing.assert_close(graph.compile()(**inputs), Scaled()(**inputs))
    assert mg.loads(graph.dumps()) == graph and "expr: v * $(k * v_2) / sqrt($v_1)" in graph.dumps()
    root = merges.formula("x * r + c - n", x=x, r=0.5, c=-2, n=x.dims[0] + 1)
    assert "x * 0.5 + (-2) - $(T + 1)" in mg.Graph(root).dumps()


@pytest.mark.parametrize("wrong", [True, "a", float("nan"), [1], None])
def test_python_gives_no_other_values(wrong: object) -> None:
    with pytest.raises(mg.SpecError, match="formula has no option 'k'"):
        merges.formula("x * k", x=mg.Input("x", (3,)), k=wrong)  # type: ignore[arg-type]
    with pytest.raises(mg.SpecError, match="give its number or size by a keyword: k="):
        merges.formula("x * $k", x=mg.Input("x", (3,)))


ANGLES = """\
inputs: {x: [T]}
nodes:
  places: {arange: $T}
  turns: {merge: formula, from: {p: places}, expr: cos(p * 0.37)}
  rotated: {merge: formula, from: {x: x, c: turns}, expr: x * c, broadcast: true}
outputs: rotated
"""
ROUNDED = ANGLES.replace("cos(p * 0.37)", "p * 0.37").replace("x * c", "x * cos(c)")


def test_angles_inside_of_cos_keep_their_precision_in_bfloat16() -> None:
    x = torch.ones(1, 2000, dtype=torch.bfloat16)
    by_hand = torch.cos(torch.arange(2000) * 0.37)
    inside, rounded = (mg.loads(spec).compile().bfloat16()(x=x)[0] for spec in (ANGLES, ROUNDED))
    torch.testing.assert_close(inside.float(), by_hand, atol=0.01, rtol=0)
    assert (rounded.float() - by_hand).abs().max() > 1
