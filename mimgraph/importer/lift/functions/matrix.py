"""Lift products of vectors and matrices, distances, and attention."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.formula import add_formula
from mimgraph.importer.lift.functions.shape import expanded
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.trace.records import Step, Value
from mimgraph.ir.dim import Size

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("matmul", "__matmul__", "mm", "bmm", "mv", "linalg_matmul")
def matmul(
    body: BodyLifter,
    step: Step,
    input: Value,
    other: Any = None,
    mat2: Any = None,
    vec: Any = None,
) -> None:
    given = (other, mat2, vec)
    product(body, step, input, next(one for one in given if one is not None))


@lifts("__rmatmul__")
def matmul_reversed(body: BodyLifter, step: Step, input: Value, other: Value) -> None:
    product(body, step, other, input)


def product(body: BodyLifter, step: Step, one: Value, two: Value) -> None:
    """Add a matmul; where ranks or leading axes differ, the einsum that says the same."""
    body.result(step, product_port(body, step, one, two, body.name_of(step, "product")))


def product_port(
    body: BodyLifter, step: Step, one: Value | Port, two: Value | Port, hint: str = "product"
) -> Port:
    """Return the product of two tensors as torch's matmul computes it."""
    matmul = Op("merge", "matmul")
    try:
        return body.intermediate(step, matmul, [one, two], hint)
    except CannotLift as error:
        shapes = [tuple(body.type_of(part).shape) for part in (one, two)]
        try:
            if len(shapes[0]) == len(shapes[1]) > 2:
                wide = [_widened(body, step, part, shapes) for part in (one, two)]
                return body.intermediate(step, matmul, wide, hint)
            einsum = Op("merge", "einsum", {"equation": _equation(*shapes)})
            return body.intermediate(step, einsum, [one, two], hint)
        except CannotLift:
            raise error from None


def _widened(
    body: BodyLifter, step: Step, given: Value | Port, shapes: Sequence[tuple[Size, ...]]
) -> Port:
    """Return a tensor expanded to the leading sizes of both."""
    port = given if isinstance(given, Port) else body.source(given)
    leads = zip(*(shape[:-2] for shape in shapes), strict=True)
    lead = [one if two == 1 else two for one, two in leads]
    return expanded(body, step, port, (*lead, *body.types[port].shape[-2:]))


def _equation(one: Sequence[Size], two: Sequence[Size]) -> str:
    """Return the einsum of a matmul of two shapes of other ranks."""
    letters = iter(string.ascii_lowercase.replace("n", ""))
    depth = max(len(one), len(two)) - 2
    lead = ["n", *(next(letters) for _ in range(depth - 1))][:depth]
    row, inner, column = (next(letters) for _ in range(3))
    left = [*lead[depth - len(one) + 2 :], row, inner] if len(one) > 1 else [inner]
    right = [*lead[depth - len(two) + 2 :], inner, column] if len(two) > 1 else [inner]
    result = [*lead] + [row] * (len(one) > 1) + [column] * (len(two) > 1)
    return f"{' '.join(left)}, {' '.join(right)} -> {' '.join(result)}"


@lifts("addmm", "baddbmm", "addbmm", "addmv")
def add_product(
    body: BodyLifter,
    step: Step,
    input: Value,
    one: Value,
    two: Value,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> None:
    if step.function.startswith("addbmm"):
        raise CannotLift("function", "addbmm sums over the batch", place=step.place)
    found = product_port(body, step, one, two)
    if beta == 0:
        return add_formula(body, step, "v * b" if alpha != 1 else "1 * b", v=alpha, b=found)
    left = "a" if beta == 1 else "u * a"
    right = "b" if alpha == 1 else "v * b"
    add_formula(body, step, f"{left} + {right}", a=input, b=found, u=beta, v=alpha)


@lifts("einsum")
def einsum(body: BodyLifter, step: Step, equation: str, *operands: Any) -> None:
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        raise CannotLift("arguments", "einsum of lists of axes", place=step.place)
    left, arrow, right = equation.replace(" ", "").partition("->")
    if not arrow:
        alone = sorted(c for c in {*left} - {*",."} if left.count(c) == 1)
        right = ("..." if "..." in left else "") + "".join(alone)
    body.merge(step, "einsum", operands, equation=f"{_spaced(left)} -> {_spaced(right)}")


def _spaced(side: str) -> str:
    """Return a side of an equation with a space between axes: `b i, j` for `bi,j`."""
    terms = (" ".join(term.replace("...", "\0")).replace("\0", "...") for term in side.split(","))
    return ", ".join(terms)


@lifts("outer", "ger")
def outer(body: BodyLifter, step: Step, input: Value, vec2: Value) -> None:
    equation = "n, a -> n a" if input.is_batched else "a, b -> a b"
    if vec2.is_batched:
        raise CannotLift("batch", "outer compares all samples", place=step.place)
    body.merge(step, "einsum", [input, vec2], "product", equation=equation)


@lifts("dot", "vdot", "inner")
def dot(body: BodyLifter, step: Step, input: Value, other: Any = None, tensor: Any = None) -> None:
    second = other if other is not None else tensor
    if input.rank == second.rank == 1 and not input.is_batched:
        body.merge(step, "einsum", [input, second], equation="a, a -> ")
        return
    raise CannotLift("batch", "a product along the batch", place=step.place)


@lifts("cosine_similarity")
def cosine(
    body: BodyLifter, step: Step, x1: Value, x2: Value, dim: int = 1, eps: float = 1e-8
) -> None:
    given = ({} if dim == 1 else {"dim": dim}) | ({} if eps == 1e-8 else {"eps": eps})
    given |= {"broadcast": True} if x1.sizes != x2.sizes else {}
    body.merge(step, "cosine", [x1, x2], **given)


@lifts("pairwise_distance")
def distance(
    body: BodyLifter,
    step: Step,
    x1: Value,
    x2: Value,
    p: float = 2.0,
    eps: float = 1e-6,
    keepdim: bool = False,
) -> None:
    given = ({} if p == 2 else {"p": float(p)}) | ({} if eps == 1e-6 else {"eps": eps})
    given |= {"keepdim": True} if keepdim else {}
    body.layer(step, "PairwiseDistance", [x1, x2], **given)


@lifts("scaled_dot_product_attention")
def attention(
    body: BodyLifter,
    step: Step,
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Value | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> None:
    sources = {"query": query, "key": key, "value": value}
    if attn_mask is not None:
        sources["mask" if attn_mask.dtype == torch.bool else "bias"] = attn_mask
    width = query.sizes[-1]
    if isinstance(width, int) and scale is not None and abs(scale - width**-0.5) < 1e-9:
        scale = None
    given = {
        "dropout_p": dropout_p,
        "is_causal": is_causal,
        "scale": scale,
        "enable_gqa": enable_gqa,
    }
    options = {name: one for name, one in given.items() if one}
    body.merge(step, "attention", sources, "attended", **options)
