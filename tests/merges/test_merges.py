"""Every merge against torch: shapes, dtypes and values; and what merges refuse."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from itertools import combinations, product
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from mimgraph import merges
from mimgraph.catalogue import OpFault
from mimgraph.ir.types import DTYPES, TensorType, promote
from tests.layers.oracle import (
    build,
    infer,
    make,
    operation,
    results,
    shape_of,
    size_of,
    tensor,
    unbatched,
)


def keys(*sources: TensorType) -> dict[str, TensorType]:
    """The sources of a variadic merge."""
    return {str(index): x for index, x in enumerate(sources)}


class Case(NamedTuple):
    """`expected` is the same by hand."""

    merge: str
    sources: Mapping[str, TensorType]
    options: Mapping[str, Any]
    expected: Callable[..., Tensor]

    def __str__(self) -> str:
        shapes = ",".join(f"{key}:{x}" for key, x in self.sources.items())
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.merge}({shapes};{options})".replace(" ", "")


A, B = tensor(5), tensor(3)
ROW, GRID = tensor(4, 5), tensor(3, 4, 5)
SELF = {"query": tensor(4, 6), "key": tensor(5, 6), "value": tensor(5, 7)}
HEADS = {"query": tensor(2, 4, 6), "key": tensor(2, 5, 6), "value": tensor(2, 5, 7)}
MASK, INDEX = tensor(4, 5, dtype="bool"), tensor(3, 5, dtype="int64")
IMAGE, LARGER = tensor(2, 4, 5), tensor(3, 7, 6)
sdpa: Any = F.scaled_dot_product_attention


def lower_pairs(*vectors: Tensor, diagonal: int = -1) -> Tensor:
    """The dot products of all pairs, one by one."""
    count = len(vectors) + diagonal + 1
    pairs = [(i, j) for i in range(len(vectors)) for j in range(min(i + diagonal + 1, count))]
    return torch.stack([(vectors[i] * vectors[j]).sum(1) for i, j in pairs], 1)


def pair_products(*vectors: Tensor) -> Tensor:
    """The products of all pairs, element by element, one by one."""
    return torch.stack([a * b for a, b in combinations(vectors, 2)]).sum(0)

CASES = [
    Case("concat", keys(A, B), {}, lambda a, b: torch.cat((a, b), 1)),
    Case("concat", keys(ROW, ROW, ROW), {"dim": -1}, lambda *xs: torch.cat(xs, -1)),
    Case("concat", keys(ROW, tensor(2, 5)), {"dim": 1}, lambda a, b: torch.cat((a, b), 1)),
    Case(
        "concat", keys(unbatched(2, 5), unbatched(3, 5)), {"dim": 0}, lambda a, b: torch.cat((a, b))
    ),
    Case(
        "concat",
        keys(tensor(2, 4, 5), tensor(3, 1, 1)),
        {"broadcast": True},
        lambda a, b: torch.cat((a, b.expand(2, 3, 4, 5)), 1),
    ),
    Case(
        "concat",
        keys(ROW, unbatched(1, 5), unbatched(5)),
        {"broadcast": True},
        lambda a, b, c: torch.cat((a, b.expand(2, 1, 5), c.expand(2, 1, 5)), 1),
    ),
    Case(
        "concat",
        keys(unbatched(3), ROW),
        {"broadcast": True, "dim": -1},
        lambda a, b: torch.cat((a.expand(2, 4, 3), b), -1),
    ),
    Case("stack", keys(A, A, A), {}, lambda *xs: torch.stack(xs, 1)),
    Case("stack", keys(ROW, ROW), {"dim": -1}, lambda *xs: torch.stack(xs, -1)),
    Case("add", keys(A, A, A), {}, lambda a, b, c: a + b + c),
    Case("add", keys(GRID, tensor(3, 1, 1)), {"broadcast": True}, operator.add),
    Case("add", keys(unbatched(5), GRID), {"broadcast": True}, operator.add),
    Case("add", keys(unbatched(1, 5), unbatched(4, 1)), {"broadcast": True}, operator.add),
    Case("subtract", keys(A, A), {}, operator.sub),
    Case(
        "stack",
        keys(ROW, unbatched(5), tensor(4, 1)),
        {"broadcast": True},
        lambda a, b, c: torch.stack((a, b.expand(2, 4, 5), c.expand(2, 4, 5)), 1),
    ),
    Case("divide", keys(A, A), {}, operator.truediv),
    Case("divide", keys(GRID, unbatched()), {"broadcast": True}, operator.truediv),
    Case("multiply", keys(A, A), {}, operator.mul),
    Case("multiply", keys(A, tensor(1)), {"broadcast": True}, operator.mul),
    Case("multiply", keys(A.cast("float16"), unbatched()), {"broadcast": True}, operator.mul),
    Case("average", keys(A, A, A), {}, lambda a, b, c: (a + b + c) / 3),
    Case("maximum", keys(A, A, A), {}, lambda a, b, c: torch.maximum(torch.maximum(a, b), c)),
    Case("minimum", keys(A, A, A), {}, lambda a, b, c: torch.minimum(torch.minimum(a, b), c)),
    Case("minimum", keys(ROW, tensor(1, 5)), {"broadcast": True}, torch.minimum),
    Case("where", {"condition": MASK, "input": ROW, "other": ROW}, {}, torch.where),
    Case(
        "where",
        {"condition": tensor(4, 1, dtype="bool"), "input": ROW, "other": unbatched()},
        {"broadcast": True},
        torch.where,
    ),
    Case(
        "masked_fill",
        {"input": ROW, "mask": MASK},
        {"value": 2},
        lambda x, mask: x.masked_fill(mask, 2),
    ),
    Case(
        "masked_fill",
        {"input": ROW, "mask": tensor(4, 1, dtype="bool")},
        {"value": float("-inf"), "broadcast": True},
        lambda x, mask: torch.where(mask, float("-inf"), x),
    ),
    Case(
        "gather",
        {"input": ROW, "index": INDEX},
        {"dim": 1},
        lambda x, index: torch.gather(x, 1, index),
    ),
    Case(
        "gather",
        {"input": ROW, "index": tensor(2, 9, dtype="int64")},
        {"dim": -1, "sparse_grad": True},
        lambda x, index: torch.gather(x, -1, index),
    ),
    Case(
        "gather",
        {"input": unbatched(4, 5), "index": unbatched(9, 5, dtype="int64")},
        {"dim": 0},
        lambda x, index: torch.gather(x, 0, index),
    ),
    *(
        Case(
            "pick",
            {"input": x, "index": tensor(dtype="int64")},
            {},
            lambda x, index: torch.stack([row[i] for row, i in zip(x, index, strict=True)]),
        )
        for x in (A, ROW, GRID)
    ),
    *(
        Case(
            "scatter_add",
            {"input": x, "index": index, "src": src},
            {"dim": dim},
            lambda x, index, src, dim=dim: torch.scatter_add(x, dim, index, src),
        )
        for x, index, src, dim in (
            (ROW, INDEX, tensor(3, 5), 1),
            (ROW, tensor(4, 9, dtype="int64"), tensor(6, 9), -1),
            (unbatched(4), unbatched(9, dtype="int64"), unbatched(9), 0),
        )
    ),
    Case(
        "resize_like",
        {"input": IMAGE, "like": LARGER},
        {},
        lambda x, like: F.interpolate(x, (7, 6)),
    ),
    *(
        Case(
            "resize_like",
            {"input": tensor(*sizes), "like": tensor(*(size + 1 for size in sizes))},
            {"mode": mode, **options},
            lambda x, like, mode=mode, options=options: F.interpolate(
                x, like.shape[2:], mode=mode, **options
            ),
        )
        for sizes, mode, options in (
            ((2, 5), "linear", {}),
            ((2, 5), "area", {}),
            ((2, 5), "nearest-exact", {}),
            ((2, 4, 5), "bilinear", {"align_corners": True}),
            ((2, 4, 5), "bicubic", {"align_corners": False}),
            ((2, 4, 5), "bilinear", {"antialias": True}),
            ((2, 4, 5), "bicubic", {"antialias": True}),
            ((2, 4, 5, 3), "trilinear", {}),
            ((2, 4, 5, 3), "area", {}),
        )
    ),
    Case("pad_like", {"input": A, "like": tensor(7)}, {"dim": 1}, lambda x, y: F.pad(x, (0, 2))),
    Case("pad_like", {"input": A, "like": A}, {"dim": -1}, lambda x, y: x),
    Case(
        "pad_like",
        {"input": ROW, "like": tensor(7, 3)},
        {"dim": 1, "side": "start", "value": 1},
        lambda x, y: F.pad(x, (0, 0, 3, 0), value=1),
    ),
    Case(
        "pad_like",
        {"input": IMAGE, "like": LARGER},
        {"dim": (2, 3), "side": "both"},
        lambda x, y: F.pad(x, (0, 1, 1, 2)),
    ),
    Case(
        "pad_like",
        {"input": IMAGE, "like": LARGER},
        {"dim": (-1, 1)},
        lambda x, y: F.pad(x, (0, 1, 0, 0, 0, 1)),
    ),
    Case("cosine", keys(A, A), {}, F.cosine_similarity),
    Case(
        "cosine",
        keys(ROW, unbatched(5)),
        {"dim": -1, "eps": 0.1, "broadcast": True},
        lambda a, b: F.cosine_similarity(a, b, -1, 0.1),
    ),
    Case("distance", keys(A, A), {}, F.pairwise_distance),
    Case(
        "distance",
        keys(ROW, tensor(1, 5)),
        {"p": 1, "eps": 0, "keepdim": True, "broadcast": True},
        lambda a, b: (a - b).abs().sum(-1, keepdim=True),
    ),
    Case("pairwise_dot", keys(A, A, A), {}, lower_pairs),
    Case("pairwise_dot", keys(A, A), {}, lambda a, b: (a * b).sum(1, keepdim=True)),
    Case(
        "dot_interaction",
        keys(A, A, A),
        {},
        lambda *xs: torch.cat((xs[0], lower_pairs(*xs)), 1),
    ),
    Case("dot_interaction", keys(A, A, A, A), {"concat_first": False}, lower_pairs),
    Case(
        "dot_interaction",
        keys(A, A, A),
        {"self_interaction": True},
        lambda *xs: torch.cat((xs[0], lower_pairs(*xs, diagonal=0)), 1),
    ),
    Case(
        "factorization", keys(A, A, A), {}, lambda *xs: pair_products(*xs).sum(1, keepdim=True)
    ),
    Case("factorization", keys(A, A, A, A), {"reduce_sum": False}, pair_products),
    Case("outer", keys(A, B), {}, lambda a, b: a[:, :, None] * b[:, None]),
    Case("outer", keys(A, unbatched(4)), {}, lambda a, b: a[:, :, None] * b),
    Case("outer", keys(unbatched(3), unbatched(4)), {}, torch.outer),
    Case(
        "outer",
        keys(A, B, A),
        {},
        lambda a, b, c: a[:, :, None, None] * b[:, None, :, None] * c[:, None, None],
    ),
    *(
        Case("einsum", keys(*sources), {"equation": equation}, by_hand)
        for sources, equation, by_hand in (
            ((ROW, tensor(3, 5)), "n l d, n m d -> n l m", lambda a, b: a @ b.mT),
            ((ROW, unbatched(5, 6)), "nld,de->nle", operator.matmul),
            ((unbatched(6, 4), ROW), "ml, nld -> nmd", operator.matmul),
            ((unbatched(3, 4), unbatched(4)), "ab,b->a", operator.matmul),
            ((ROW,), "n l d -> n d", lambda a: a.sum(1)),
            ((ROW,), "n a b -> n b a", lambda a: a.mT),
            ((tensor(4, 4),), "naa->n", lambda a: a.diagonal(0, 1, 2).sum(1)),
            ((A, A, A), "nD, nD, nD -> n", lambda a, b, c: (a * b * c).sum(1)),
            ((A, unbatched()), "nd, -> nd", operator.mul),
            ((A, B), "n a, n b -> n", lambda a, b: a.sum(1) * b.sum(1)),
        )
    ),
    Case("dot", keys(A, A), {}, lambda a, b: (a * b).sum(1)),
    Case("matmul", keys(tensor(3, 4), tensor(4, 5)), {}, operator.matmul),
    Case("matmul", keys(tensor(2, 3, 4), tensor(2, 4, 5)), {}, operator.matmul),
    Case("matmul", keys(tensor(4), unbatched(4, 5)), {}, operator.matmul),
    Case("matmul", keys(tensor(2, 3, 4), unbatched(4, 5)), {}, operator.matmul),
    Case("matmul", keys(unbatched(3, 4), tensor(6, 4, 5)), {}, operator.matmul),
    Case("matmul", keys(unbatched(3, 4), unbatched(4, 5)), {}, operator.matmul),
    Case("attention", SELF, {}, sdpa),
    Case("attention", HEADS, {"scale": 0.3}, lambda *x: sdpa(*x, scale=0.3)),
    Case("attention", HEADS, {"is_causal": True}, lambda *x: sdpa(*x, is_causal=True)),
    Case(
        "attention",
        {**SELF, "mask": tensor(5, dtype="bool")},
        {},
        lambda q, k, v, m: sdpa(q, k, v, attn_mask=m[:, None, :]),
    ),
    Case(
        "attention",
        {**HEADS, "mask": tensor(5, dtype="bool")},
        {},
        lambda q, k, v, m: sdpa(q, k, v, attn_mask=m[:, None, None, :]),
    ),
    Case("attention", {**HEADS, "mask": tensor(1, 4, 5, dtype="bool")}, {}, sdpa),
    Case("attention", {**HEADS, "mask": unbatched(4, 5, dtype="bool")}, {}, sdpa),
    *(
        Case("formula", {"a": x, "b": x}, {"expr": expr}, by_hand)
        for x in (A,)
        for expr, by_hand in (
            ("a * b + (1 - a) * 2", lambda a, b: a * b + (1 - a) * 2),
            ("-a ** 2 - (b - a)", lambda a, b: -(a**2) - (b - a)),
            ("a / 2 / b // 3 % 2", lambda a, b: a / 2 / b // 3 % 2),
            ("(a > 0.5) * b", lambda a, b: (a > 0.5) * b),
            ("where(a > b, a, 0)", lambda a, b: torch.where(a > b, a, 0)),
            ("where(a == b, 1, 0.5)", lambda a, b: torch.where(a == b, 1.0, 0.5)),
            (
                "minimum(a, b) + maximum(a, 0.5)",
                lambda a, b: torch.minimum(a, b) + a.clamp(min=0.5),
            ),
            ("minimum(1, a) * b", lambda a, b: a.clamp(max=1) * b),
            ("clamp(a, 0.2, 2 * 0.3) + b", lambda a, b: a.clamp(0.2, 0.6) + b),
            ("clamp(a, b, b + 1)", lambda a, b: a.clamp(b, b + 1)),
            ("clamp(a, 0.2, b)", lambda a, b: a.clamp(min=0.2).minimum(b)),
            (
                "sigmoid(a) + tanh(b) + relu(a - b)",
                lambda a, b: a.sigmoid() + b.tanh() + (a - b).relu(),
            ),
            (
                "softplus(a) * exp(b) * log(a + 1)",
                lambda a, b: F.softplus(a) * b.exp() * (a + 1).log(),
            ),
            ("sqrt(a) + sin(b) + cos(abs(a))", lambda a, b: a.sqrt() + b.sin() + a.abs().cos()),
            ("a * sqrt(4) + b * exp(-(0))", lambda a, b: a * 2.0 + b),
        )
    ),
    Case(
        "formula",
        {"x": A, "t": unbatched()},
        {"expr": "x / t", "broadcast": True},
        operator.truediv,
    ),
    Case("formula", {"x": A}, {"expr": "x * x"}, lambda x: x * x),
]


@pytest.mark.parametrize("case", CASES, ids=map(str, CASES))
def test_results_are_those_by_hand(case: Case) -> None:
    check(case, {})


def check(case: Case, sizes: Mapping[str, int]) -> None:
    """Shapes and dtypes are as inferred, values as by hand."""
    lowering = infer(case.merge, case.sources, **case.options)
    inputs = {key: make(x, sizes) for key, x in case.sources.items()}
    expected = case.expected(*inputs.values())
    found = results(lowering, inputs, None, sizes)
    for value in found[lowering.default or ""]:
        torch.testing.assert_close(value, expected, equal_nan=True)
    for port, type_ in lowering.results.items():
        assert tuple(found[port][0].shape) == shape_of(type_, sizes)
        assert found[port][0].dtype == getattr(torch, type_.dtype)


def test_every_merge_has_a_case() -> None:
    assert {case.merge for case in CASES} == set(merges.__all__)


@pytest.mark.parametrize(("a", "b"), product(DTYPES, DTYPES))
def test_promotion_is_torchs(a: str, b: str) -> None:
    expected = torch.promote_types(getattr(torch, a), getattr(torch, b))
    assert f"torch.{promote(a, b)}" == str(expected)


@pytest.mark.parametrize(
    "merge", ["add", "subtract", "multiply", "average", "maximum", "dot", "matmul", "attention"]
)
def test_dtypes_are_taken_that_torch_takes(merge: str) -> None:
    """Of all pairs, but for bools in an average: they would be joined by "or"."""
    for a, b in product(DTYPES, DTYPES):
        shape = (4, 4) if merge in ("matmul", "attention") else (4,)
        sources = keys(tensor(*shape, dtype=a), tensor(*shape, dtype=b))
        if merge == "attention":
            sources = {"query": sources["0"], "key": sources["1"], "value": sources["1"]}
        like = {key: x.cast("float32") for key, x in sources.items()}
        inputs = {key: make(x, {}) for key, x in sources.items()}
        try:
            found = results(infer(merge, like), inputs, None, {})
            values = next(iter(found.values()))
            accepted = str(values[-1].dtype)[6:]
        except (RuntimeError, NotImplementedError):
            accepted = ""
        if merge == "average" and "bool" in (a, b):
            accepted = ""
        if accepted:
            lowering = infer(merge, sources)
            assert (a, b, next(iter(lowering.results.values())).dtype) == (a, b, accepted)
        else:
            with pytest.raises(OpFault) as caught:
                infer(merge, sources)
            assert (a, b, caught.value.code) == (a, b, "dtype-mismatch")


ONE_DTYPE = {"stack", "pairwise_dot", "dot_interaction", "factorization", "einsum", "concat"}
TRIED = [case for case in CASES if case.merge not in ("formula", "attention", "average")]
UNTRIED = {("where", "condition", "uint8")}  # taken, but deprecated


@pytest.mark.parametrize("case", TRIED, ids=map(str, TRIED))
def test_dtypes_are_taken_that_torch_takes_by_hand(case: Case) -> None:
    """Of each source alone, and of all that are floats at once."""
    floats = [key for key, x in case.sources.items() if x.dtype == "float32"]
    together = [floats] if len(floats) > 1 else []
    for varied, dtype in product([*([key] for key in case.sources), *together], DTYPES):
        if (case.merge, varied[0], dtype) in UNTRIED:
            continue
        sources = {k: x.cast(dtype) if k in varied else x for k, x in case.sources.items()}
        mixed = len({x.dtype for x in sources.values()}) > 1 and case.merge in ONE_DTYPE
        inputs = {key: make(x, {}) for key, x in sources.items()}
        try:
            expected = case.expected(*inputs.values())
        except (RuntimeError, NotImplementedError):
            expected = None
        try:
            lowering = infer(case.merge, sources, **case.options)
        except OpFault as fault:
            wrong_value = fault.option == "value"  # that this dtype does not have
            assert expected is None or mixed or wrong_value, (varied, dtype, fault)
            continue
        assert expected is not None and not mixed, (varied, dtype)
        (found,) = results(lowering, inputs, None, {})[lowering.default or ""]
        assert (varied, str(found.dtype)) == (varied, f"torch.{lowering.results[''].dtype}")
        torch.testing.assert_close(found, expected, check_dtype=False, equal_nan=True)


EXPRESSIONS = """
a + b; a - b; a * b; a / b; a // b; a % b; a ** b; a < b; a == b
a + 1; 1 - a; a * 1.5; a / 2; a // 2; 2 % a; a ** 2; 2 ** a; 1.5 ** a; a ** -1; a >= 0.5; -a
abs(a); exp(a); log(a); sqrt(a); sin(a); cos(a); sigmoid(a); tanh(a); relu(a); softplus(a)
minimum(a, b); maximum(a, 2); minimum(0.5, a)
clamp(a, 0, 1); clamp(a, 0.5, 1); clamp(a, b, b); clamp(a, 0, b)
where(a > b, a, b); where(a != 0, a, 1); where(a != 0, 1, 0.5); where(a != 0, 1, 0); where(a, b, b)
"""


@pytest.mark.parametrize("expr", EXPRESSIONS.strip().replace("\n", "; ").split("; "))
@pytest.mark.parametrize("scalar", [False, True])
def test_formulas_compute_in_the_dtypes_of_torch(expr: str, scalar: bool) -> None:
    """For all pairs of dtypes, of two vectors and of a vector and a scalar tensor."""
    uses_b = "b" in expr.replace("abs", "")
    for a, b in product(DTYPES, DTYPES if uses_b else DTYPES[:1]):
        if "uint8" in (a, b) and expr == "where(a, b, b)":
            continue  # taken, but deprecated
        if scalar and ("complex64" in (a, b) or "complex128" in (a, b)):
            continue
        second = unbatched(dtype=b) if scalar else tensor(4, dtype=b)
        sources = {"a": tensor(4, dtype=a), **({"b": second} if uses_b else {})}
        inputs = {key: make(x, {}) for key, x in sources.items()}
        condition = {"a": sources["a"].cast("bool")} if expr == "where(a, b, b)" else {}
        like = {key: x.cast("float32") for key, x in sources.items()} | condition
        try:
            found = results(infer("formula", like, expr=expr, broadcast=True), inputs, None, {})[
                ""
            ][0]
            accepted = str(found.dtype)[6:]
        except (RuntimeError, NotImplementedError, TypeError):
            accepted = ""
        if accepted:
            result = infer("formula", sources, expr=expr, broadcast=True).results[""]
            assert (a, b, result.dtype) == (a, b, accepted)
        else:
            with pytest.raises(OpFault) as caught:
                infer("formula", sources, expr=expr, broadcast=True)
            assert caught.value.code in ("dtype-mismatch", "bad-expression"), (a, b)


def test_a_row_of_which_all_is_hidden_has_no_weight() -> None:
    lowering = infer("attention", {**SELF, "mask": tensor(5, dtype="bool")})
    inputs = {key: make(x, {}) for key, x in SELF.items()}
    mask = torch.tensor([[True, True, False, True, False], [False] * 5])
    found = results(lowering, {**inputs, "mask": mask}, None, {})
    torch.testing.assert_close(found["output"][0], found["output"][1])
    assert not found["weights"][0][1].any()


def test_sizes_may_be_names() -> None:
    cases: list[tuple[str, dict[str, TensorType], dict[str, Any]]] = [
        ("concat", keys(tensor("T", 5), tensor("S", 5)), {"dim": 1}),
        ("concat", keys(tensor("T", 5), unbatched(1, 5)), {"dim": 2, "broadcast": True}),
        ("concat", keys(tensor("T", 5), tensor(1, 5)), {"dim": 2, "broadcast": True}),
        ("stack", keys(tensor("T"), tensor("T")), {}),
        ("add", keys(tensor("T", 5), tensor("T", 1)), {"broadcast": True}),
        ("matmul", keys(tensor("T", "S"), tensor("S", 3)), {}),
        (
            "attention",
            {"query": tensor("T", 6), "key": tensor("S", 6), "value": tensor("S", 6)},
            {},
        ),
        (
            "attention",
            {k: tensor("T", "S") for k in ("query", "key", "value")},
            {"is_causal": True},
        ),
    ]
    sizes = {"T": 4, "S": 7}
    for merge, sources, options in cases:
        lowering = infer(merge, sources, **options)
        inputs = {key: make(x, sizes) for key, x in sources.items()}
        for port, values in results(lowering, inputs, build(lowering), sizes).items():
            for value in values:
                assert tuple(value.shape) == shape_of(lowering.results[port], sizes)
                torch.testing.assert_close(value, values[0])


# faults

INT, BOOL = A.cast("int64"), A.cast("bool")
STATE = infer("LSTM", ROW, hidden_size=3).results["state"]


class Refusal(NamedTuple):
    merge: str
    sources: Mapping[str, TensorType]
    options: Mapping[str, Any]
    code: str
    at: str | None
    note: str = ""


REFUSALS = [
    *(
        Refusal(merge, keys(A), {}, "wrong-arity", None)
        for merge in ("concat", "add", "dot", "matmul")
    ),
    *(
        Refusal(merge, keys(A, A, A), {}, "wrong-arity", "2")
        for merge in ("subtract", "dot", "matmul")
    ),
    # the odd one out of two: more axes, else the second
    Refusal("concat", keys(GRID, A), {}, "shape-mismatch", "0", "4 axes, but {1} is (N, 5)"),
    Refusal("concat", keys(A, GRID), {}, "shape-mismatch", "1", "4 axes, but {0} is (N, 5)"),
    Refusal(
        "concat",
        keys(ROW, tensor(4, 6)),
        {},
        "shape-mismatch",
        "1",
        "(N, 4, 6), but {0} is (N, 4, 5)",
    ),
    Refusal("concat", keys(A, unbatched(2, 5)), {}, "shape-mismatch", "1"),
    Refusal("add", keys(A, B), {}, "shape-mismatch", "1", "(N, 3), but {0} is (N, 5)"),
    Refusal("add", keys(A, tensor("T")), {}, "shape-mismatch", "1"),
    Refusal("add", keys(tensor("S"), tensor("T")), {"broadcast": True}, "shape-mismatch", "1"),
    # of many: the one that is not like most
    Refusal("add", keys(B, A, A), {}, "shape-mismatch", "0", "(N, 3), but {1} is (N, 5)"),
    Refusal("stack", keys(A, A, B, A), {}, "shape-mismatch", "2"),
    Refusal("maximum", keys(A, A, ROW), {}, "shape-mismatch", "2", "3 axes, but {0} is (N, 5)"),
    Refusal(
        "formula",
        {"a": A, "b": B},
        {"expr": "a + b"},
        "shape-mismatch",
        "b",
        "(N, 3), but {a} is (N, 5)",
    ),
    # broadcasts
    Refusal("add", keys(A, tensor(1)), {}, "shape-mismatch", "1"),
    Refusal("add", keys(GRID, ROW), {"broadcast": True}, "shape-mismatch", "0"),
    Refusal("add", keys(A, unbatched(4, 5)), {"broadcast": True}, "shape-mismatch", "1"),
    Refusal("concat", keys(ROW, tensor(1, 6)), {"broadcast": True}, "shape-mismatch", "1"),
    # options
    Refusal("concat", keys(A, A), {"dim": 0}, "bad-option", "dim"),
    Refusal("concat", keys(A, A), {"dim": 2}, "bad-option", "dim"),
    Refusal("stack", keys(A, A), {"dim": 3}, "bad-option", "dim"),
    # dtypes
    Refusal("concat", keys(A, INT, A), {}, "dtype-mismatch", "1", "int64, but {0} is float32"),
    Refusal("stack", keys(A, INT), {}, "dtype-mismatch", "1"),
    Refusal("subtract", keys(A, BOOL), {}, "dtype-mismatch", "1"),
    Refusal("matmul", keys(ROW, tensor(5, 4, dtype="float64")), {}, "dtype-mismatch", "1"),
    *(
        Refusal(merge, keys(STATE, STATE), {}, "dtype-mismatch", "0")
        for merge in ("concat", "stack", "add", "matmul")
    ),
    # products
    Refusal("dot", keys(ROW, ROW), {}, "rank-mismatch", "0"),
    Refusal("matmul", keys(A, ROW), {}, "rank-mismatch", "0"),
    Refusal("matmul", keys(ROW, A), {}, "rank-mismatch", "1"),
    Refusal("matmul", keys(ROW, ROW), {}, "shape-mismatch", "1"),
    Refusal("matmul", keys(tensor(2, 4, 5), tensor(3, 5, 4)), {}, "shape-mismatch", "1"),
    # attention
    Refusal("attention", {**SELF, "key": tensor(5, 7)}, {}, "shape-mismatch", "key"),
    Refusal("attention", {**SELF, "value": tensor(4, 7)}, {}, "shape-mismatch", "value"),
    Refusal("attention", {**SELF, "key": HEADS["key"]}, {}, "shape-mismatch", "key"),
    Refusal("attention", {**SELF, "query": A}, {}, "rank-mismatch", "query"),
    Refusal(
        "attention", {**SELF, "value": tensor(5, 7, dtype="float64")}, {}, "dtype-mismatch", "value"
    ),
    Refusal("attention", {**SELF, "mask": tensor(5)}, {}, "dtype-mismatch", "mask"),
    Refusal("attention", {**SELF, "mask": tensor(4, dtype="bool")}, {}, "shape-mismatch", "mask"),
    Refusal(
        "attention", {**HEADS, "mask": tensor(4, 5, dtype="bool")}, {}, "rank-mismatch", "mask"
    ),
    Refusal(
        "attention",
        {**SELF, "mask": tensor(5, dtype="bool")},
        {"is_causal": True},
        "bad-option",
        "is_causal",
    ),
    # formulas
    Refusal("formula", {}, {"expr": "1"}, "wrong-arity", None),
    Refusal("formula", {"a": A}, {"expr": "a + c"}, "unknown-source", "expr"),
    Refusal("formula", {"a": A, "b": A}, {"expr": "a + 1"}, "wrong-arity", "b"),
    *(
        Refusal("formula", {"a": x}, {"expr": expr}, code, "expr")
        for x, expr, code in (
            (A, "a +", "bad-expression"),
            (A, "foo(a)", "bad-expression"),
            (A, "exp(a, a)", "bad-expression"),
            (A, "where(a > 0, 1)", "bad-expression"),
            (A, "a * log(0)", "bad-expression"),
            (A, "a / (1 - 1) * (1 / 0)", "bad-expression"),
            (A, "a + (1 < 2)", "bad-expression"),
            (A, "clamp(1, 0, a)", "bad-expression"),
            (A, "a.real", "bad-expression"),
            (INT, "a ** -1", "bad-expression"),
            (A, "-(a > 0)", "dtype-mismatch"),
            (A, "where(a, 1, 2)", "dtype-mismatch"),
            (INT, "softplus(a)", "dtype-mismatch"),
        )
    ),
]


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=[f"{r.merge}-{r.code}-{i}" for i, r in enumerate(REFUSALS)]
)
def test_refused(refusal: Refusal) -> None:
    with pytest.raises(OpFault) as caught:
        infer(refusal.merge, refusal.sources, **refusal.options)
    fault = caught.value
    assert (fault.code, fault.option or fault.source) == (refusal.code, refusal.at)
    assert not refusal.note or fault.note == refusal.note


def test_the_help_says_how_to_mend_it() -> None:
    with pytest.raises(OpFault) as flat:
        infer("concat", keys(GRID, A))
    assert flat.value.help == "flatten it first: {layer: Flatten, from: {0}}"
    with pytest.raises(OpFault) as wide:
        infer("multiply", keys(A, tensor(1)))
    assert wide.value.help == "if that is meant, say broadcast: true"


def test_a_fault_of_a_formula_knows_its_place_in_the_text() -> None:
    with pytest.raises(OpFault) as caught:
        infer("formula", {"a": A}, expr="a + other")
    assert caught.value.within == (4, 9)
