"""Define CausalMask, and check the masks of attention layers.

As in torch, they are true, or -inf, where attention is not allowed.
"""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.ir.code import Attribute, Code, Constant, Name, Operand, Tuple, by_position, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import INTEGER, TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import cast, check_marks, same_dims


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
        _check_dtype(layer, name, mask, "true where there is no token", ("bool", *INTEGER))
        _check_shape(layer, name, mask, (keys,), f"(N, {keys})", batched=True)
        check_marks(mask, "hidden", f"{layer} takes {name} that is true at padding", name)


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
    _check_dtype(layer, name, mask, "true where attention is not allowed", ("bool",))
    per_sample = mask.batched and heads == 1  # torch's (N * heads, L, S)
    help = of_keys if mask.batched and same_dims(mask, (keys,)) else ""
    _check_shape(layer, name, mask, (steps, keys), f"({steps}, {keys})", per_sample, help)
    wants = f"{layer} takes {name} that is true where attention is not allowed"
    check_marks(mask, "hidden", wants, name)


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
    compared = f"{meaning}: {{merge: formula, expr: m == 0, from: {{m: {{{name}}}}}}}"
    if mask.dtype == "float32" and mask.cast_from in zeros_and_ones:
        raise OpFault(
            "dtype-mismatch",
            f"{layer} adds a float32 {name} to the scores, where 0 and 1 hide nothing",
            source=name,
            note=f"cast from {mask.cast_from}",
            help=f"leave out the Cast: a bool is {meaning}"
            if mask.cast_from == "bool"
            else compared,
        )
    if mask.dtype not in ("bool", "float32"):
        raise OpFault(
            "dtype-mismatch",
            f"{layer} takes a bool {name}, {meaning}, or a float32 one, which it adds",
            source=name,
            note=mask.dtype,
            help=f"{compared}; {cast(name, 'float32', 'cast a bias')}"
            if mask.is_floating
            else compared,
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
        drop = f"drop its first axis: {{layer: Squeeze, from: {{{name}}}, dim: 0}}"
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
