"""Compares every merge with torch: shapes, dtypes and values; and checks the faults of merges."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import partial, reduce
from itertools import combinations, product
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

import mimgraph as mg
from mimgraph import merges
from mimgraph.diagnostics.text import unmarked
from mimgraph.ir.dim import symbol
from mimgraph.ir.types import DTYPES, TensorType, promote
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import ops
from tests.helpers.cases import check_each
from tests.ops.layers import oracle
from tests.ops.layers.oracle import (
    BATCH_SIZE,
    infer,
    make,
    results,
    shape_of,
    size_of,
    tensor,
    unbatched,
)
from tests.ops.tables import read


def keys(*sources: TensorType) -> dict[str, TensorType]:
    """Return the sources of a variadic merge."""
    return {str(index): x for index, x in enumerate(sources)}


class Case(NamedTuple):
    """A call of a merge; `expected` computes the same with torch."""

    merge: str
    sources: Mapping[str, TensorType]
    options: Mapping[str, Any]
    expected: Callable[..., Tensor]

    def __str__(self) -> str:
        shapes = ",".join(f"{key}:{x}" for key, x in self.sources.items())
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.merge}({shapes};{options})".replace(" ", "")


N = "N"  # the batch again, or elsewhere
A, B = tensor(5), tensor(3)
ROW, GRID = tensor(4, 5), tensor(3, 4, 5)
SELF = {"query": tensor(4, 6), "key": tensor(5, 6), "value": tensor(5, 7)}
SAMPLES, MOVED = tensor(N), unbatched(4, N, 5)
sdpa: Any = F.scaled_dot_product_attention


# the merges by hand


def concat(*xs: Tensor, dim: int = 1) -> Tensor:
    """Join tensors whose other axes broadcast."""
    axes = max(x.dim() for x in xs)
    dim %= axes
    full = [x.reshape(*(1,) * (axes - x.dim()), *x.shape) for x in xs]
    common = torch.broadcast_shapes(*(x.narrow(dim, 0, 1).shape for x in full))
    return torch.cat([x.expand(*common[:dim], -1, *common[dim + 1 :]) for x in full], dim)


def stack(*xs: Tensor, dim: int = 1) -> Tensor:
    return torch.stack(torch.broadcast_tensors(*xs), dim)


def in_turn(of_two: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda *xs: reduce(of_two, xs)


def sequence_mask(lengths: Tensor, like: Tensor | None = None, maxlen: int | None = None) -> Tensor:
    """Return a mask row by row: true for the first lengths, then false."""
    count = maxlen if like is None else like.shape[1]
    rows = [[step < length for step in range(count)] for length in lengths.tolist()]
    return torch.tensor(rows)


def pooled(
    input: Tensor, mask: Tensor | None = None, *, pool: Callable[[Tensor], Tensor]
) -> Tensor:
    """Pool the real steps of each sample separately."""
    mask = torch.ones(input.shape[:2], dtype=torch.bool) if mask is None else mask
    steps = torch.arange(input.shape[1])
    pairs = zip(input, mask, strict=True)
    return torch.stack([pool(sample[steps.masked_select(real)]) for sample, real in pairs])


def take(input: Tensor, index: Tensor) -> Tensor:
    """Read rows of each sample's own tensor, or of one for all samples."""
    if len(input) != BATCH_SIZE:
        return input[index]
    if len(index) != BATCH_SIZE:
        return input[:, index]
    samples = torch.arange(BATCH_SIZE).view(-1, *(1,) * (index.dim() - 1))
    return input[samples, index]


def pad_like(
    input: Tensor, like: Tensor, dim: int | tuple[int, ...], side: str = "end", value: float = 0
) -> Tensor:
    x = input
    for axis in dim if isinstance(dim, tuple) else (dim,):
        missing = like.shape[axis] - x.shape[axis]
        before = {"end": 0, "start": missing, "both": missing // 2}[side]
        x = F.pad(x.movedim(axis, -1), (before, missing - before), value=value).movedim(-1, axis)
    return x


def lower_pairs(*vectors: Tensor, diagonal: int = -1) -> Tensor:
    """Return the dot products of all pairs, one by one."""
    count = len(vectors) + diagonal + 1
    pairs = [(i, j) for i in range(len(vectors)) for j in range(min(i + diagonal + 1, count))]
    return torch.stack([torch.einsum("nd,nd->n", vectors[i], vectors[j]) for i, j in pairs], 1)


def dot_interaction(
    *xs: Tensor, concat_first: bool = True, self_interaction: bool = False
) -> Tensor:
    pairs = lower_pairs(*xs, diagonal=0 if self_interaction else -1)
    return torch.cat((xs[0], pairs), 1) if concat_first else pairs


def factorization(*xs: Tensor, reduce_sum: bool = True) -> Tensor:
    """Add the elementwise products of all pairs, one by one; one source has the vectors as rows."""
    vectors = xs if len(xs) > 1 else xs[0].unbind(1)
    products = torch.stack([a * b for a, b in combinations(vectors, 2)]).sum(0) / 1
    return products.sum(1, keepdim=True) if reduce_sum else products


def outer(a: Tensor, b: Tensor) -> Tensor:
    """Multiply all elements of two tensors, sample by sample; a vector without a batch is for all."""
    return a[..., None] * (b if b.dim() == 1 else b.view(len(b), *(1,) * (a.dim() - 1), -1))


def attention(
    mask: Tensor | None = None, bias: Tensor | None = None, is_causal: bool = False, **given: Any
) -> Tensor:
    query, (steps, keys) = given["query"], (given[key].shape[-2] for key in ("query", "key"))
    if mask is not None and mask.shape == (BATCH_SIZE, keys):  # the keys that each sample has
        mask = mask.view(BATCH_SIZE, *(1,) * (query.dim() - 2), keys)
    if bias is not None and mask is not None:
        bias, mask = bias + mask.log(), None
    if bias is not None and is_causal:
        bias, is_causal = bias + torch.full((steps, keys), -math.inf).triu(1), False
    return sdpa(attn_mask=bias if mask is None else mask, is_causal=is_causal, **given)


POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean_pool": lambda steps: steps.mean(0),
    "max_pool": lambda steps: steps.amax(0),
    "last_pool": lambda steps: steps[-1],
}
BY_HAND: dict[str, Callable[..., Tensor]] = {
    "concat": concat,
    "stack": stack,
    "add": in_turn(operator.add),
    "subtract": operator.sub,
    "divide": operator.truediv,
    "multiply": operator.mul,
    "average": lambda *xs: sum(xs) / len(xs),
    "maximum": in_turn(torch.maximum),
    "minimum": in_turn(torch.minimum),
    "where": torch.where,
    "logical_and": in_turn(torch.logical_and),
    "logical_or": in_turn(torch.logical_or),
    "sequence_mask": sequence_mask,
    **{name: partial(pooled, pool=pool) for name, pool in POOLS.items()},
    "masked_fill": torch.masked_fill,
    "gather": torch.gather,
    "pick": lambda input, index: input[range(len(input)), index],
    "take": take,
    "scatter_add": torch.scatter_add,
    "resize_like": lambda input, like, **rest: F.interpolate(input, like.shape[2:], **rest),
    "pad_like": pad_like,
    "cosine": F.cosine_similarity,
    "distance": F.pairwise_distance,
    "pairwise_dot": lower_pairs,
    "dot_interaction": dot_interaction,
    "factorization": factorization,
    "outer": in_turn(outer),
    "dot": lambda a, b: (a * b).sum(-1),
    "matmul": operator.matmul,
    "attention": attention,
}


def calls(table: str) -> list[Case]:
    """Return the calls of a table, each with what computes the same."""
    found = [row.case() for rows in read(table).values() for row in rows]
    return [Case(*case, partial(by_hand, case)) for case in found]


def by_hand(case: oracle.Case, *xs: Tensor) -> Tensor:
    options = {key: value for key, value in case.options.items() if key != "broadcast"}
    if oracle.operation(case.layer).inputs.names:
        return BY_HAND[case.layer](**dict(zip(case.sources, xs, strict=True)), **options)
    return BY_HAND[case.layer](*xs, **options)


CASES = [
    *calls("merges.md"),
    *(
        Case("einsum", keys(*sources), {"equation": equation}, by_hand)
        for sources, equation, by_hand in (
            ((ROW, tensor(3, 5)), "n l d, n m d -> n l m", lambda a, b: a @ b.mT),
            ((ROW, tensor(3, 5)), "... l d, ... m d -> ... l m", lambda a, b: a @ b.mT),
            (
                (tensor(3, 4, 5), ROW),
                "n ... d, n ... d -> n ...",
                lambda a, b: (a * b[:, None]).sum(-1),
            ),
            ((ROW, unbatched(5)), "... d, ... d -> ... d", lambda a, b: a * b),
            ((ROW,), "n ... -> n", lambda a: a.sum((1, 2))),
            ((ROW,), "n t d ... -> n d t ...", lambda a: a.mT),
            ((ROW, unbatched(5, 6)), "nld,de->nle", operator.matmul),
            ((unbatched(6, 4), ROW), "ml, nld -> nmd", operator.matmul),
            ((unbatched(3, 4), unbatched(4)), "ab,b->a", operator.matmul),
            ((ROW,), "n l d -> n d", lambda a: a.sum(1)),
            ((ROW,), "n a b -> n b a", lambda a: a.mT),
            ((tensor(4, 4),), "naa->n", lambda a: a.diagonal(0, 1, 2).sum(1)),
            ((A, A, A), "nD, nD, nD -> n", lambda a, b, c: (a * b * c).sum(1)),
            ((A, unbatched()), "nd, -> nd", operator.mul),
            ((A, B), "n a, n b -> n", lambda a, b: a.sum(1) * b.sum(1)),
            ((A, A), "n d, m d -> n m", lambda a, b: a @ b.T),
            ((A, B), "n a, n b -> a b", lambda a, b: a.T @ b),
            ((ROW, A), "n t d, m d -> m t n", lambda a, b: (a @ b.T).permute(2, 1, 0)),
            ((ROW, ROW), "n t d, m s d -> n m t s", lambda a, b: a[:, None] @ b.mT),
            ((SAMPLES, A), "n m, m d -> n d", operator.matmul),
            ((MOVED, A), "t n d, n d -> t d", lambda a, b: (a * b).sum(1)),
            ((ROW,), "n t d -> t n d", lambda a: a.transpose(0, 1)),
            ((ROW,), "... d -> d ...", lambda a: a.permute(2, 0, 1)),
            ((A, A), "n a, m a -> n", lambda a, b: (a @ b.T).sum(1)),
            ((SAMPLES,), "n n -> n", torch.diag),
            ((A, A), "n a, n a ->", lambda a, b: (a * b).sum()),
        )
    ),
    Case("formula", {"s": SAMPLES}, {"expr": "s / 0.05"}, lambda s: s / 0.05),
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
            (
                "round(9 * a) + sign(b - 0.5) + floor(9 * b) - ceil(9 * a)",
                lambda a, b: (9 * a).round() + (b - 0.5).sign() + (9 * b).floor() - (9 * a).ceil(),
            ),
            (
                "0.5 * a * (1 + erf(a / sqrt(2))) * -b",
                lambda a, b: F.gelu(a) * -b,
            ),
            (
                "sin(2 * pi * a) + cos(-pi / 4 * b)",
                lambda a, b: (2 * torch.pi * a).sin() + (b * torch.pi / 4).cos(),
            ),
            (
                "a * round(2.5) + b * sign(-3) * erf(pi) * ceil(0.5)",
                lambda a, b: a * 2 - b * math.erf(math.pi),
            ),
        )
    ),
    Case(
        "formula",
        {"x": A, "t": unbatched()},
        {"expr": "x / t", "broadcast": True},
        operator.truediv,
    ),
    Case("formula", {"x": A}, {"expr": "x * x"}, lambda x: x * x),
    Case("formula", {"pi": A}, {"expr": "2 * pi"}, lambda pi: 2 * pi),
]


MERGES = list(dict.fromkeys(case.merge for case in CASES))


@pytest.mark.parametrize("merge", MERGES)
def test_results_and_dtypes_are_torchs(merge: str) -> None:
    def conforms(case: Case) -> None:
        check(case, {})
        if merge not in UNLIKE:
            takes_the_dtypes_that_torch_takes(case)

    check_each([case for case in CASES if case.merge == merge], conforms)


def check(case: Case, sizes: Mapping[str, int]) -> None:
    """Shapes and dtypes are as inferred, values as computed with torch."""
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
    """All but the fusions with weights, which are blocks or modules."""
    expressions = {
        op.name
        for op in ops("merge").values()
        if op.family != "bilinear" and op.function.__annotations__["return"] == "Lowering"
    }
    assert set(MERGES) == expressions <= set(merges.__all__)


def test_promotion_is_that_of_torch() -> None:
    ours = {(a, b): promote(a, b) for a, b in product(DTYPES, DTYPES)}
    assert ours == {
        (a, b): str(torch.promote_types(getattr(torch, a), getattr(torch, b)))[6:] for a, b in ours
    }


@pytest.mark.parametrize(
    "merge", ["add", "subtract", "multiply", "average", "maximum", "dot", "matmul", "attention"]
)
def test_rules_take_the_dtypes_that_torch_takes(merge: str) -> None:
    """Try all pairs of dtypes, except an average of bools, which torch would join by "or"."""
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
        except (RuntimeError, NotImplementedError, TypeError):
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
UNLIKE = ("formula", "attention", "average", "sequence_mask")
UNTRIED = {
    ("where", "condition", "uint8"),
    ("pick", "index", "uint8"),
    ("take", "index", "uint8"),
}  # taken, but deprecated


def takes_the_dtypes_that_torch_takes(case: Case) -> None:
    """Change the dtype of each source, and of all float sources at once."""
    floats = [key for key, x in case.sources.items() if x.dtype == "float32"]
    together = [floats] if len(floats) > 1 else []
    for varied, dtype in product([*([key] for key in case.sources), *together], DTYPES):
        if (case.merge, varied[0], dtype) in UNTRIED:
            continue
        sources = {k: x.cast(dtype) if k in varied else x for k, x in case.sources.items()}
        expected = dtype_by_hand(case, {key: make(x, {}) for key, x in sources.items()})
        try:
            lowering = infer(case.merge, sources, **case.options)
        except OpFault as fault:
            mixed = len({x.dtype for x in sources.values()}) > 1 and case.merge in ONE_DTYPE
            widened = case.merge == "einsum" and expected != dtype  # what torch sums as int64
            wrong_value = fault.option == "value"  # this dtype has no such value
            refused = expected in ("", "complex32") or mixed or widened or wrong_value
            assert refused, (varied, dtype, fault)
        else:
            assert (varied, dtype, lowering.results[""].dtype) == (varied, dtype, expected)


def dtype_by_hand(case: Case, inputs: Mapping[str, Tensor]) -> str:
    """Return the dtype of torch's result; "" if torch refuses."""
    computed = case.expected
    if case.merge == "einsum":
        computed = partial(torch.einsum, case.options["equation"])
    try:
        return str(computed(*inputs.values()).dtype).removeprefix("torch.")
    except (RuntimeError, NotImplementedError, IndexError, TypeError):
        return ""


EXPRESSIONS = """
a + b; a - b; a * b; a / b; a // b; a % b; a ** b; a < b; a == b
a + 1; 1 - a; a * 1.5; a / 2; a // 2; 2 % a; a ** 2; 2 ** a; 1.5 ** a; a ** -1; a >= 0.5; -a
abs(a); exp(a); log(a); sqrt(a); sin(a); cos(a); sigmoid(a); tanh(a); relu(a); softplus(a)
sign(a); round(a); floor(a); ceil(a); erf(a); a * pi; 2 * pi + a; maximum(-pi, a)
a and b; a or b; not a; minimum(a, b); maximum(a, 2); minimum(0.5, a)
clamp(a, 0, 1); clamp(a, 0.5, 1); clamp(a, b, b); clamp(a, 0, b)
where(a > b, a, b); where(a != 0, a, 1); where(a != 0, 1, 0.5); where(a != 0, 1, 0); where(a, b, b)
"""


@pytest.mark.parametrize("scalar", [False, True])
def test_formulas_compute_in_the_dtypes_of_torch(scalar: bool) -> None:
    """Try all pairs of dtypes, for two vectors and for a vector and a scalar tensor."""
    check_each(
        EXPRESSIONS.strip().replace("\n", "; ").split("; "), partial(computes, scalar=scalar)
    )


def computes(expr: str, scalar: bool) -> None:
    uses_b = "b" in expr.replace("abs", "")
    for a, b in product(DTYPES, DTYPES if uses_b else DTYPES[:1]):
        if "uint8" in (a, b) and expr == "where(a, b, b)":
            continue  # taken, but deprecated
        if scalar and a in ("float16", "bfloat16") and b in ("complex64", "complex128"):
            continue  # a complex dtype of that precision, which some releases of torch lack
        second = unbatched(dtype=b) if scalar else tensor(4, dtype=b)
        sources = {"a": tensor(4, dtype=a), **({"b": second} if uses_b else {})}
        inputs = {key: make(x, {}) for key, x in sources.items()}
        condition = {"a": sources["a"].cast("bool")} if expr == "where(a, b, b)" else {}
        alike = (
            "int64" if expr == "where(a != 0, 1, 0.5)" else "float32"
        )  # else cast to that of `a`
        like = {key: x.cast(alike) for key, x in sources.items()} | condition
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


def test_attention_drops_weights_in_training_only() -> None:
    spec = """
    inputs: {x: [4, 6]}
    nodes:
      y: {merge: attention, from: [x, x, x], dropout_p: 0.5}
      z: {merge: attention, from: [x, x, x], dropout_p: 0.5}
    outputs: {alone: y, output: z, weights: z.weights}
    """
    model, x = mg.loads(spec).compile(), torch.randn(50, 4, 6)
    still, trained = model.eval()(x=x), model.train()(x=x)
    for name in ("alone", "output"):
        torch.testing.assert_close(still[name], sdpa(x, x, x))
    dropped = trained["weights"] == 0
    assert 300 < dropped.sum() < 500
    expected = still["weights"].masked_fill(dropped, 0) * 2
    torch.testing.assert_close(trained["weights"], expected)
    torch.testing.assert_close(trained["output"], expected @ x)
    assert not torch.allclose(trained["alone"], still["alone"])


@pytest.mark.parametrize("bias", [{}, {"bias": unbatched(4, 5)}], ids=["mask", "mask and bias"])
def test_a_row_that_is_masked_out_has_no_weight(bias: dict[str, TensorType]) -> None:
    lowering = infer("attention", {**SELF, "mask": tensor(5, dtype="bool"), **bias})
    inputs = {key: make(x, {}) for key, x in (SELF | bias).items()}
    mask = torch.tensor([[True, True, False, True, False], [False] * 5])
    found = results(lowering, {**inputs, "mask": mask}, None, {})
    torch.testing.assert_close(found["output"][0], found["output"][1])
    assert not found["weights"][0][1].any()


SYMBOLIC = [
    *calls("named_sizes_of_merges.md"),
    Case(
        "einsum",
        keys(tensor("T", 5), tensor("S", 5)),
        {"equation": "ntd,nsd->nst"},
        lambda a, b: b @ a.mT,
    ),
]


def test_sizes_may_be_names() -> None:
    check_each(SYMBOLIC, is_right_for_every_number)


def is_right_for_every_number(case: Case) -> None:
    """Sizes that break a constraint are refused by torch, except in pad_like, which would cut."""
    lowering = infer(case.merge, case.sources, **case.options)
    for lengths in product((3, 4, 7), repeat=2):
        sizes = dict(zip("TS", lengths, strict=True))
        if all(size_of(one.dim, sizes) >= (one.minimum or 0) for one in lowering.requires):
            check(case, sizes)
        elif case.merge != "pad_like":
            with pytest.raises(RuntimeError):
                check(case, sizes)


def test_constraints_of_named_sizes_are_required() -> None:
    index = {"input": tensor("T", 5), "index": tensor("S", 5, dtype="int64")}
    assert list(map(str, infer("gather", index, dim=2).requires)) == ["T - S >= 0"]
    assert not infer("gather", index, dim=1).requires
    longer = {"input": tensor("T", 5), "like": tensor("S", 5)}
    assert list(map(str, infer("pad_like", longer, dim=1).requires)) == ["S - T >= 0"]
    half = symbol("T") // 2
    upsampled = {"input": tensor().like(2 * half), "like": tensor("T")}
    assert not infer("pad_like", upsampled, dim=1).requires


# arithmetic on sizes

extents = st.integers(1, 3)


@st.composite
def equations(draw: st.DrawFn) -> tuple[str, list[TensorType]]:
    """Draw an equation, mostly a legal one, and sources for it."""
    sizes = {letter: draw(extents) for letter in "abc"}
    terms, sources = [], []
    for _ in range(draw(st.integers(1, 3))):
        letters = draw(st.text("abc", max_size=3))
        batch = draw(st.sampled_from(["", "n", "n", "m"]))
        batched = batch != ""
        terms.append(batch + letters)
        sources.append(TensorType(tuple(sizes[letter] for letter in letters), batched=batched))
    return f"{','.join(terms)}->{draw(st.text('abcmn', max_size=4))}", sources


@settings(max_examples=300, deadline=None)
@given(equations(), st.sampled_from(["float32", "int64", "bool"]))
@example((",aa->", [tensor(), tensor(1, 1)]), "float32")
def test_einsum_takes_the_equations_that_torch_takes(
    drawn: tuple[str, list[TensorType]], dtype: str
) -> None:
    equation, plain = drawn
    sources = [x.cast(dtype) for x in plain]
    inputs = {key: make(x, {}) for key, x in keys(*sources).items()}
    try:
        expected: Tensor | None = torch.einsum(equation, *inputs.values())
    except RuntimeError:
        expected = None
    try:
        lowering = infer("einsum", keys(*sources), equation=equation)
    except OpFault as fault:
        assert expected is None or dtype == "bool", fault
    else:
        assert expected is not None
        (found,) = results(lowering, inputs, None, {})[""]
        assert torch.equal(found, expected) or dtype == "float32"
        assert tuple(found.shape) == shape_of(lowering.results[""], {})
        assert str(found.dtype) == f"torch.{lowering.results[''].dtype}"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(extents, min_size=2, max_size=2), min_size=3, max_size=3), st.booleans())
def test_indices_may_be_as_short_as_in_torch(shapes: list[list[int]], scatter: bool) -> None:
    input, index, src = (tensor(*dims) for dims in shapes)
    zeros = torch.zeros(2, *index.dims, dtype=torch.int64)
    sources = {"input": input, "index": index.cast("int64"), **({"src": src} if scatter else {})}
    inputs = {key: make(x, {}) for key, x in sources.items()} | {"index": zeros}
    try:
        if scatter:
            torch.scatter_add(inputs["input"], 1, zeros, inputs["src"])
        else:
            torch.gather(inputs["input"], 1, zeros)
    except RuntimeError:
        with pytest.raises(OpFault) as caught:
            infer("scatter_add" if scatter else "gather", sources, dim=1)
        assert caught.value.code == "shape-mismatch"
    else:
        infer("scatter_add" if scatter else "gather", sources, dim=1)


# faults


def test_the_help_says_how_to_fix_it() -> None:
    with pytest.raises(OpFault) as flat:
        infer("concat", keys(GRID, A))
    assert unmarked(flat.value.help) == "flatten it first: {layer: Flatten, from: {0}}"
    with pytest.raises(OpFault) as wide:
        infer("multiply", keys(A, tensor(1)))
    assert unmarked(wide.value.help) == "if that is meant, write broadcast: true"
    with pytest.raises(OpFault) as narrow:
        infer("masked_fill", {"input": ROW, "mask": A.cast("bool")}, value=0)
    assert unmarked(narrow.value.help) == (
        "give {mask} its missing axes first: {layer: Unsqueeze, from: {mask}, dim: 1}, "
        "and write broadcast: true"
    )


def test_a_fault_of_a_formula_has_its_characters() -> None:
    with pytest.raises(OpFault) as caught:
        infer("formula", {"a": A}, expr="a + other")
    assert caught.value.within == (4, 9)


def test_a_fault_of_an_equation_has_its_letter() -> None:
    def is_marked(marked: str) -> None:
        start, end = marked.index("⟦"), marked.index("⟧") - 1
        with pytest.raises(OpFault) as caught:
            infer("einsum", keys(A, A), equation=marked.replace("⟦", "").replace("⟧", ""))
        assert caught.value.within == (start, end)

    check_each(["n a, n ⟦1⟧ -> n", "n a, n a -> n ⟦b⟧", "n a, n a -> n a ⟦a⟧"], is_marked)
