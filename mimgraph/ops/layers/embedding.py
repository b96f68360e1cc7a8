"""Define the layers that make vectors of categories: Embedding, EmbeddingBag, OneHot."""

from __future__ import annotations

from typing import Literal, NamedTuple

from mimgraph.diagnostics.text import code, put, remove
from mimgraph.ir.code import Operand, call
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.lowering import INPUT, Lowering, module, module_call
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import bad_option, dtype_fault, known, same_dims, weighted, with_rank


@layer("num_embeddings", family="embedding")
def Embedding(
    input: TensorType,
    /,
    embedding_dim: Size,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
    *,
    num_embeddings: Positive | None = None,
) -> Lowering:
    """A learned vector for each number: (*) -> (*, embedding_dim).

    `num_embeddings` is the input's `vocab`, and must be given if the input has none.

    Example:
        city: {vocab: 1000}
        {layer: Embedding, from: city, embedding_dim: 8}
    """
    _check_numbers(input, "Embedding")
    count = vocabulary(input, num_embeddings, "Embedding", "num_embeddings")
    width = known(embedding_dim, "embedding_dim")
    _check_padding(padding_idx, count)
    return Lowering(
        input.like(*input, width, dtype="float32"),
        module(
            "Embedding",
            {"weight": (count, width)},
            num_embeddings=count,
            embedding_dim=width,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
        ),
        requires=in_range(input, count, "num_embeddings"),
    )


class EmbeddingBagInputs(NamedTuple):
    input: TensorType
    per_sample_weights: TensorType | None = None


@layer("num_embeddings", family="embedding")
def EmbeddingBag(
    inputs: EmbeddingBagInputs,
    /,
    embedding_dim: Size,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: Literal["sum", "mean", "max"] = "mean",
    sparse: bool = False,
    padding_idx: int | None = None,
    *,
    num_embeddings: Positive | None = None,
) -> Lowering:
    """The sum, mean or maximum of learned vectors, one a number: (N, L) -> (N, embedding_dim).

    `per_sample_weights` (N, L) scale the vectors of a sum. Bags of unequal size are padded with
    `padding_idx`, which is skipped.

    Example:
        tags: {shape: [5], vocab: 100}
        weights: [5]
        {layer: EmbeddingBag, from: [tags, weights], embedding_dim: 8, mode: sum}
    """
    bags, weights = inputs
    _check_numbers(bags, "EmbeddingBag", "input")
    with_rank(bags, 1, "EmbeddingBag", "(N, L)", "input")
    if mode == "max":
        for option, given in (("scale_grad_by_freq", scale_grad_by_freq), ("sparse", sparse)):
            if given:
                raise bad_option(option, f"mode max takes no {option}")
    if weights is not None:
        _check_weights(bags, weights, mode)
    count = vocabulary(bags, num_embeddings, "EmbeddingBag", "num_embeddings")
    width = known(embedding_dim, "embedding_dim")
    _check_padding(padding_idx, count)
    keywords = {} if weights is None else {"per_sample_weights": Operand("per_sample_weights")}
    return Lowering(
        bags.like(width, dtype="float32"),
        module(
            "EmbeddingBag",
            {"weight": (count, width)},
            num_embeddings=count,
            embedding_dim=width,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            padding_idx=padding_idx,
        ),
        module_call(Operand("input"), **keywords),
    )


@layer(family="elementwise")
def OneHot(input: TensorType, /, num_classes: Positive | None = None) -> Lowering:
    """1 at the index that each number gives, else 0: (*) -> (*, num_classes), int64.

    Numbers are from 0 to num_classes - 1; an input with a vocab needs no `num_classes`.

    Example:
        color: {vocab: 5}
        {layer: OneHot, from: color}
    """
    if input.dtype != "int64":
        raise categories_fault(input, "OneHot", "int64 class numbers", "num_classes")
    count = vocabulary(input, num_classes, "OneHot", "num_classes")
    return Lowering(
        input.like(*input, count),
        call=call("F.one_hot", INPUT, num_classes=count),
        requires=in_range(input, count, "num_classes"),
    )


def _check_weights(bags: TensorType, weights: TensorType, mode: str) -> None:
    """Refuse weights unless there is one for each number and the mode is sum."""
    weighted(weights, "EmbeddingBag", "per_sample_weights")
    if weights.batched != bags.batched or not same_dims(weights, bags):
        raise OpFault(
            "shape-mismatch",
            "EmbeddingBag needs one weight for each number",
            source="per_sample_weights",
            note=f"{weights}, but {{input}} is {bags}",
            mentions=("per_sample_weights", "input"),
        )
    if mode != "sum":
        raise bad_option("mode", f"per_sample_weights need {put('mode: sum')}")


def _check_numbers(input: TensorType, name: str, source: str | None = None) -> None:
    if input.dtype not in ("int32", "int64"):
        wants = "int32 or int64 category numbers"
        raise categories_fault(input, name, wants, "num_embeddings", source)


def categories_fault(
    input: TensorType, name: str, wants: str, option: str, source: str | None = None
) -> OpFault:
    """Return the fault of a source that should hold categories; its help declares an input so, or
    casts a computed source and gives `option`."""
    fault = dtype_fault(input, name, wants, source, to="int64")
    if fault.help:
        given = option if input.vocab is None else code(f"{option}: {input.vocab}")
        fault.help += f", and give {given}"
    if input.is_floating:
        sizes = ", ".join(map(str, input.dims))
        declared = code(f"{{shape: [{sizes}], vocab: 1000}}")
        fault.help = f"declare an input {declared}, or {fault.help}"
    return fault


def _check_padding(padding_idx: int | None, count: int) -> None:
    if padding_idx is not None and not -count <= padding_idx < count:
        raise bad_option(
            "padding_idx", f"padding_idx {padding_idx} is out of range for {count} embeddings"
        )


def vocabulary(input: TensorType, given: int | None, name: str, option: str) -> int:
    """Return the number of categories: the input's vocab, or `given`, the value of `option`."""
    count = given if input.vocab is None else input.vocab
    if count is None:
        raise OpFault(
            "missing-option",
            f"{name} needs {option}, because its input has no vocab",
            option=option,
            help=f"give {option}, or vocab to the input",
        )
    if given is not None and given != count:
        raise OpFault(
            "inferred-conflict",
            f"{option} is {given}, but the input's vocab is {count}",
            option=option,
            help=remove(option),
        )
    return count


def in_range(input: TensorType, count: int, option: str) -> tuple[Constraint, ...]:
    """Return the constraint that positions are less than `count`."""
    if input.below is None:
        return ()
    room = count - input.below
    if at_least(room, 0) is False:
        raise bad_option(option, f"{option} is {count}, but there are {input.below} positions")
    return (Constraint(room, 0),) if isinstance(room, Dim) else ()
