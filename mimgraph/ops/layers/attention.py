"""MultiheadAttention, and the masks of attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mimgraph.ir.axes_help import node
from mimgraph.ir.code import Attribute, Code, Constant, Name, Operand, Tuple, by_position, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, RESULT, Lowering, Port, Product, module, module_call
from mimgraph.ir.option_types import Positive, Probability
from mimgraph.ir.types import INTEGER, TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    TRUE,
    bad_option,
    cast,
    check_marks,
    compared,
    fitting,
    known,
    same_dims,
    same_size,
    weighted,
    with_rank,
)


@layer(family="masks")
def CausalMask(input: TensorType, /) -> Lowering:
    """True where a step may not attend to a later one: (N, T, *) -> (T, T), bool.

    It has no batch, as torch's `attn_mask`. `LogicalNot` inverts it for `attention`, whose mask is
    true where attention is allowed; `logical_or` joins it with a padding mask of each sample.

    Example:
        tokens: [T, 16]
        {layer: CausalMask, from: tokens}
    """
    if not input.batched or not input.dims:
        raise OpFault("rank-mismatch", "CausalMask takes (N, T, *)", note=str(input))
    steps = input.dims[0]
    mask = TensorType((steps, steps), "bool", batched=False, marks="hidden")
    return Lowering(mask, call=causal(INPUT, steps, steps))


def check_padding(layer: str, name: str, mask: TensorType | None, keys: Size) -> None:
    """Refuse a mask of the keys of each sample unless it is `(N, S)`."""
    if mask is not None:
        _check_dtype(layer, name, mask, f"{TRUE} where there is no token", ("bool", *INTEGER))
        _check_shape(layer, name, mask, (keys,), f"(N, {keys})", batched=True)
        check_marks(mask, "hidden", f"{layer} takes {name} that is {TRUE} at padding", name)


def check_attention(
    layer: str, name: str, mask: TensorType | None, steps: Size, keys: Size, heads: int
) -> None:
    """Refuse a mask of the attention weights unless it is `(L, S)`, one for all samples."""
    if mask is None:
        return
    of_keys = f"a mask of the keys of each sample goes to {_padding_name(name)}"
    if mask.batched and len(mask.dims) == 2 and heads > 1:
        raise OpFault(
            "shape-mismatch",
            f"{layer} takes {name} ({steps}, {keys}), without a batch",
            source=name,
            note=str(mask),
            help=of_keys,
        )
    # integers may be a bias here, such as the distance between two steps
    meaning = f"{TRUE} where attention is not allowed"
    _check_dtype(layer, name, mask, meaning, ("bool",))
    per_sample = mask.batched and heads == 1  # torch's (N * heads, L, S)
    help = of_keys if mask.batched and same_dims(mask, (keys,)) else ""
    _check_shape(layer, name, mask, (steps, keys), f"({steps}, {keys})", per_sample, help)
    check_marks(mask, "hidden", f"{layer} takes {name} that is {meaning}", name)


def causal_beside(
    x: Code, steps: Size, keys: Size, name: str, inputs: Mapping[str, TensorType | None]
) -> Code:
    """Return the code of a causal mask for `name`, in the dtype of the padding mask beside it.

    torch warns of a bool mask beside a float one.
    """
    padding = _padding_name(name)
    type_ = inputs[padding]
    if type_ is None or not type_.is_floating:
        return causal(x, steps, keys)
    hidden = call(
        "torch.full",
        Tuple(by_position(steps=steps, keys=keys)),
        Constant(float("-inf")),
        dtype=Attribute(Operand(padding), "dtype"),
        device=Attribute(x, "device"),
    )
    return hidden.method("triu", 1)


def _padding_name(name: str) -> str:
    """Return the name of the padding mask beside an attention mask."""
    return {"attn_mask": "key_padding_mask", "mask": "src_key_padding_mask"}.get(
        name, name.replace("_mask", "_key_padding_mask")
    )


def _check_dtype(
    layer: str, name: str, mask: TensorType, meaning: str, zeros_and_ones: tuple[str, ...]
) -> None:
    """Refuse a mask unless it is bool, or a float bias, which was not cast from a dtype of
    `zeros_and_ones`; `meaning` says where a bool mask is true."""
    is_zero = f"{meaning}: {compared('m == 0', name)}"
    if mask.dtype == "float32" and mask.cast_from in zeros_and_ones:
        raise OpFault(
            "dtype-mismatch",
            f"{layer} adds a float32 {name} to the scores, where 0 and 1 hide nothing",
            source=name,
            note=f"cast from {mask.cast_from}",
            help=f"remove the Cast: a bool is {meaning}" if mask.cast_from == "bool" else is_zero,
        )
    if mask.dtype not in ("bool", "float32"):
        raise OpFault(
            "dtype-mismatch",
            f"{layer} takes a bool {name}, {meaning}, or a float32 one, which it adds",
            source=name,
            note=mask.dtype,
            help=f"{is_zero}; {cast(name, 'float32', 'cast a bias')}"
            if mask.is_floating
            else is_zero,
        )


def _check_shape(
    layer: str,
    name: str,
    mask: TensorType,
    dims: tuple[Size, ...],
    shape: str,
    batched: bool,
    help: str = "",
) -> None:
    """Refuse a mask of other dims, or with a batch where it should have none."""
    if mask.batched != batched or not same_dims(mask, dims):
        equal_rank = mask.rank == len(dims) + batched
        one_too_many = not mask.batched and same_dims(mask, (1, *dims))
        drop = f"drop its first axis: {node('Squeeze', f'{{{name}}}', 'dim: 0')}"
        raise OpFault(
            "shape-mismatch" if equal_rank else "rank-mismatch",
            f"{layer} takes {name} {shape}",
            source=name,
            note=str(mask),
            help=drop if one_too_many else help,
        )


def causal(x: Code, steps: Size, keys: Size) -> Code:
    """Return the code of a mask of all later steps, on the device of `x`."""
    ones = call(
        "torch.ones",
        *by_position(steps=steps, keys=keys),
        dtype=Name("torch.bool"),
        device=Attribute(x, "device"),
    )
    return ones.method("triu", 1)


# Define multi-head attention, always batch-first.


class MultiheadAttentionInputs(NamedTuple):
    query: TensorType
    key: TensorType | None = None
    value: TensorType | None = None
    key_padding_mask: TensorType | None = None
    attn_mask: TensorType | None = None


@layer("embed_dim", inferred=("kdim", "vdim"), ports=("output", "weights"), family="attention")
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
    is_causal: bool = False,
    kdim: Positive | None = None,
    vdim: Positive | None = None,
) -> Lowering:
    """Attention in several heads; a `query` alone attends to itself: (N, L, E) -> (N, L, E).

    Vaswani et al. 2017. Without `value` the key is the value too. Masks are as in torch:
    `key_padding_mask` (N, S) and `attn_mask` (L, S), true where attention is not allowed. `is_causal`
    hides later steps; without `attn_mask` the causal mask is made. The port `weights` is the mean
    over the heads, or with `average_attn_weights: false` (N, num_heads, L, S).

    Example:
        tokens: [10, 16]
        padding: {shape: [10], dtype: bool}
        {layer: MultiheadAttention, from: {query: tokens, key_padding_mask: padding}, num_heads: 4}
    """
    names = _names(inputs)
    query, key, value = (_source(inputs, name) for name in names)
    steps, embed_dim = query.dims[0], known(query.dims[1], "embed_dim", "query")
    if embed_dim % num_heads:
        message = f"num_heads {num_heads} does not divide embed_dim {embed_dim}"
        raise bad_option("num_heads", message, fitting("num_heads", num_heads, embed_dim))
    if not same_size(key.dims[0], value.dims[0]):
        raise OpFault(
            "shape-mismatch",
            "MultiheadAttention needs as many values as keys",
            source=names[2],
            note=f"{value}, but {{{names[1]}}} is {key}",
            mentions=(names[2], names[1]),
        )
    keys = key.dims[0]
    check_padding("MultiheadAttention", "key_padding_mask", inputs.key_padding_mask, keys)
    check_attention("MultiheadAttention", "attn_mask", inputs.attn_mask, steps, keys, num_heads)
    key_width = known(key.dims[1], "kdim", names[1])
    value_width = known(value.dims[1], "vdim", names[2])
    keywords = _masks(inputs, steps, keys, is_causal, add_bias_kv or add_zero_attn)
    averaged = {} if average_attn_weights else {"average_attn_weights": False}
    heads = () if average_attn_weights else (num_heads,)
    output = query.like(*query)
    weights = query.like(*heads, steps, keys + add_bias_kv + add_zero_attn)
    return Lowering(
        output,
        module(
            "MultiheadAttention",
            attention_weights(embed_dim, key_width, value_width, bias, add_bias_kv),
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
        module_call(*map(Operand, names), **keywords, **averaged),
        {
            "output": Port(
                output,
                RESULT.at(0),
                alone=module_call(*map(Operand, names), **keywords, need_weights=False).at(0),
            ),
            "weights": Port(weights, RESULT.at(1)),
        },
        products=attention_products(query, key, value, add_bias_kv + add_zero_attn),
    )


def _names(inputs: MultiheadAttentionInputs) -> tuple[str, str, str]:
    """Return the names of the sources that are query, key and value.

    A query alone is all three, a key without a value is the value too.
    """
    if inputs.key is None:
        if inputs.value is not None:
            raise OpFault(
                "wrong-arity", "MultiheadAttention takes a value only with a key", source="value"
            )
        return "query", "query", "query"
    return "query", "key", "key" if inputs.value is None else "value"


def _source(inputs: MultiheadAttentionInputs, name: str) -> TensorType:
    """Return a source after checking that it is a sequence of vectors."""
    x: TensorType = getattr(inputs, name)
    weighted(x, "MultiheadAttention", name)
    with_rank(x, 2, "MultiheadAttention", f"{name} (N, T, E)", name)
    return x


def _unless_default(size: int, embed_dim: int, given: int | None) -> int | None:
    """Return the argument `kdim` or `vdim`: None for the width of the query, unless it was given."""
    return None if given is None and size == embed_dim else size


def attention_weights(
    embed_dim: int, kdim: int, vdim: int, bias: bool, add_bias_kv: bool = False
) -> dict[str, tuple[int, ...]]:
    """Return the weights: one projection for query, key and value of the same width, else three."""
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


def attention_products(
    query: TensorType, key: TensorType, value: TensorType, more_keys: int = 0
) -> tuple[Product, ...]:
    """Return the products of attention: four projections, the scores, the weighted sum of values.

    They count all heads together; a mask saves nothing.
    """
    width, seen = query.dims[1], key.dims[0] + more_keys
    projections = tuple((*x.shape, width) for x in (query, key, value, query))
    return (*projections, (*query.shape, seen), (*query.shape, seen))


def _masks(
    inputs: MultiheadAttentionInputs, steps: Size, keys: Size, is_causal: bool, more_keys: bool
) -> dict[str, Any]:
    """Return the mask arguments of the call; `is_causal` without a mask makes one."""
    found: dict[str, Any] = {}
    if inputs.key_padding_mask is not None:
        found["key_padding_mask"] = Operand("key_padding_mask")
    if inputs.attn_mask is not None:
        found["attn_mask"] = Operand("attn_mask")
    elif is_causal:
        query = Operand("query")
        found["attn_mask"] = causal_beside(query, steps, keys, "attn_mask", inputs._asdict())
    if is_causal and not more_keys:  # with it torch would hide the keys that it adds
        found["is_causal"] = True
    return found
