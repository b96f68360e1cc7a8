"""Embeddings."""

from __future__ import annotations

from mimgraph.catalogue import OpFault, bad_option, dtype_fault, known, layer
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import TensorType


@layer("num_embeddings")
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
    """A learned vector for each number: (*) -> (*, embedding_dim)."""
    if input.dtype not in ("int32", "int64"):
        raise dtype_fault(input, "Embedding", "int32 or int64, the numbers of what it embeds")
    count = _count(input, num_embeddings)
    width = known(embedding_dim, "embedding_dim")
    if padding_idx is not None and not -count <= padding_idx < count:
        raise bad_option("padding_idx", f"padding_idx {padding_idx} is none of {count} embeddings")
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
    )


def _count(input: TensorType, given: int | None) -> int:
    """The number of embeddings, which the input's vocabulary gives if it has one."""
    count = given if input.vocab is None else input.vocab
    if count is None:
        raise OpFault(
            "missing-option",
            "Embedding needs num_embeddings, for its input has no vocab",
            option="num_embeddings",
            help="give num_embeddings, or vocab to the input",
        )
    if given is not None and given != count:
        raise OpFault(
            "inferred-conflict",
            f"num_embeddings is {given}, but the input's vocab is {count}",
            option="num_embeddings",
            help="leave num_embeddings out",
        )
    return count
