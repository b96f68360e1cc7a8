"""Multi-head attention, always batch-first."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.catalogue import (
    OpFault,
    bad_option,
    dtype_fault,
    known,
    layer,
    same_dims,
    same_size,
    weighted,
    with_rank,
)
from mimgraph.ir.code import Call, Operand
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import RESULT, Lowering, Port, module, module_call
from mimgraph.ir.option_types import Positive, Probability
from mimgraph.ir.types import TensorType


class MultiheadAttentionInputs(NamedTuple):
    query: TensorType
    key: TensorType | None = None
    value: TensorType | None = None
    key_padding_mask: TensorType | None = None
    attn_mask: TensorType | None = None


@layer("embed_dim", "kdim", "vdim", ports=("output", "weights"))
def MultiheadAttention(
    inputs: MultiheadAttentionInputs,
    /,
    num_heads: Positive,
    dropout: Probability = 0.0,
    bias: bool = True,
    add_bias_kv: bool = False,
    add_zero_attn: bool = False,
    *,
    average_attn_weights: bool = True,
    kdim: Positive | None = None,
    vdim: Positive | None = None,
) -> Lowering:
    """Attention in several heads, of `query` to itself if it is alone: (N, L, E) -> (N, L, E)."""
    names = _names(inputs)
    query, key, value = (_source(inputs, name) for name in names)
    steps, embed_dim = query.dims[0], known(query.dims[1], "embed_dim", "query")
    if embed_dim % num_heads:
        raise bad_option(
            "num_heads", f"num_heads {num_heads} does not divide embed_dim {embed_dim}"
        )
    if not same_size(key.dims[0], value.dims[0]):
        raise OpFault(
            "shape-mismatch",
            "MultiheadAttention needs as many values as keys",
            source=names[2],
            note=f"{value}, but {{{names[1]}}} is {key}",
            speaks_of=(names[2], names[1]),
        )
    _check_masks(inputs, steps, key.dims[0], num_heads)
    key_width = known(key.dims[1], "kdim", names[1])
    value_width = known(value.dims[1], "vdim", names[2])
    averaged = {} if average_attn_weights else {"average_attn_weights": False}
    heads = () if average_attn_weights else (num_heads,)
    output = query.like(*query)
    weights = query.like(*heads, steps, key.dims[0] + add_bias_kv + add_zero_attn)
    return Lowering(
        output,
        module(
            "MultiheadAttention",
            _weights(embed_dim, key_width, value_width, bias, add_bias_kv),
            embed_dim=embed_dim,
            num_heads=num_heads,
            dropout=dropout,
            bias=bias,
            add_bias_kv=add_bias_kv,
            add_zero_attn=add_zero_attn,
            kdim=_unless_default(key_width, embed_dim, kdim),
            vdim=_unless_default(value_width, embed_dim, vdim),
            batch_first=True,
        ),
        _call(inputs, names, **averaged),
        {
            "output": Port(
                output, RESULT.at(0), alone=_call(inputs, names, need_weights=False).at(0)
            ),
            "weights": Port(weights, RESULT.at(1)),
        },
    )


def _names(inputs: MultiheadAttentionInputs) -> tuple[str, str, str]:
    """What is query, key and value: alone, one is all three, and a key is the value too."""
    if inputs.key is None:
        if inputs.value is not None:
            raise OpFault(
                "wrong-arity", "MultiheadAttention takes a value only with a key", source="value"
            )
        return "query", "query", "query"
    return "query", "key", "key" if inputs.value is None else "value"


def _source(inputs: MultiheadAttentionInputs, name: str) -> TensorType:
    x: TensorType = getattr(inputs, name)
    weighted(x, "MultiheadAttention", name)
    with_rank(x, 2, "MultiheadAttention", f"{name} (N, T, E)", name)
    return x


def _unless_default(size: int, embed_dim: int, given: int | None) -> int | None:
    """A width as torch is told it: only where it is not the query's, or the user says it."""
    return None if given is None and size == embed_dim else size


def _check_masks(inputs: MultiheadAttentionInputs, steps: Size, keys: Size, num_heads: int) -> None:
    """Masks of the keys, `(N, S)`, and of the weights, `(L, S)` without a batch."""
    if inputs.key_padding_mask is not None:
        _check_mask("key_padding_mask", inputs.key_padding_mask, (keys,), f"(N, {keys})", True)
    mask = inputs.attn_mask
    if mask is None:
        return
    if mask.batched and len(mask.dims) == 2 and num_heads > 1:
        raise OpFault(
            "shape-mismatch",
            f"MultiheadAttention takes attn_mask ({steps}, {keys}), without a batch",
            source="attn_mask",
            note=str(mask),
            help="a mask of each sample's keys is key_padding_mask",
        )
    per_sample = mask.batched and num_heads == 1  # torch's (N * num_heads, L, S)
    _check_mask("attn_mask", mask, (steps, keys), f"({steps}, {keys})", per_sample)


def _check_mask(
    name: str, mask: TensorType, dims: tuple[Size, ...], shape: str, batched: bool
) -> None:
    if mask.dtype not in ("bool", "float32"):
        raise dtype_fault(mask, "MultiheadAttention", f"as {name} bool or float32", name)
    if mask.batched != batched or not same_dims(mask, dims):
        equal_rank = mask.rank == len(dims) + batched
        raise OpFault(
            "shape-mismatch" if equal_rank else "rank-mismatch",
            f"MultiheadAttention takes {name} {shape}",
            source=name,
            note=str(mask),
        )


def _weights(
    embed_dim: int, kdim: int, vdim: int, bias: bool, add_bias_kv: bool
) -> dict[str, tuple[int, ...]]:
    """One projection for query, key and value if they are of one width, else three."""
    found: dict[str, tuple[int, ...]] = {}
    if kdim == vdim == embed_dim:
        found["in_proj_weight"] = (3 * embed_dim, embed_dim)
    else:
        found["q_proj_weight"] = (embed_dim, embed_dim)
        found["k_proj_weight"] = (embed_dim, kdim)
        found["v_proj_weight"] = (embed_dim, vdim)
    if bias:
        found["in_proj_bias"] = (3 * embed_dim,)
    if add_bias_kv:
        found["bias_k"] = found["bias_v"] = (1, 1, embed_dim)
    found["out_proj.weight"] = (embed_dim, embed_dim)
    if bias:
        found["out_proj.bias"] = (embed_dim,)
    return found


def _call(inputs: MultiheadAttentionInputs, names: tuple[str, ...], **keywords: bool) -> Call:
    """The module called on what there is."""
    given = inputs._asdict()
    masks = {
        name: Operand(name) for name in ("key_padding_mask", "attn_mask") if given[name] is not None
    }
    return module_call(*map(Operand, names), **masks, **keywords)
