"""Define scaled dot-product attention, which has no weights."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.ir.axes_help import node, to_sequence
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Code,
    Constant,
    Name,
    Operand,
    Slice,
    Tuple,
    Unary,
    call,
    code,
)
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import RESULT, Lowering, Port
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.merges.arithmetic.agreement import dtype_disagreement
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import (
    bad_option,
    changed,
    check_marks,
    floating,
    same_dims,
    same_size,
    truth_fault,
)

QUERY, KEY, VALUE, MASK = map(Operand, ("query", "key", "value", "mask"))
HIDDEN = Constant(float("-inf"))  # the score of a key that is masked out


class AttentionInputs(NamedTuple):
    query: TensorType
    key: TensorType
    value: TensorType
    mask: TensorType | None = None


@merge(ports=("output", "weights"), family="attentions")
def attention(
    inputs: AttentionInputs, /, *, is_causal: bool = False, scale: float | None = None
) -> Lowering:
    """Scaled dot-product attention: (N, *, L, D), (N, *, S, D), (N, *, S, E) -> (N, *, L, E).

    Vaswani et al. 2017. `mask` is true where attention is allowed: (N, S) for the keys of each sample,
    or of the rank of the weights, each axis equal or 1; without a batch it needs only 2 axes or more.

    Example:
        query: [10, 64]
        text: [8, 64]
        known: {shape: [8], dtype: bool}
        {merge: attention, from: {query: query, key: text, value: text, mask: known}}
    """
    query, key, value, mask = inputs
    _check_sources(query, key, value)
    *lead, steps, width = query
    keys = key.dims[-2]
    mask_code: Code | None = None
    if mask is not None:
        if is_causal:
            message = "attention takes a mask or is_causal, not both"
            raise bad_option(
                "is_causal", message, "join it with a CausalMask by LogicalNot and logical_and"
            )
        mask_code = _mask(mask, (*lead, steps, keys))
    output = query.like(*lead, steps, value.dims[-1])
    keywords = changed(
        attn_mask=(mask_code, None), is_causal=(is_causal, False), scale=(scale, None)
    )
    fused = call("F.scaled_dot_product_attention", QUERY, KEY, VALUE, **keywords)
    if is_causal:
        ones = call(
            "torch.ones", steps, keys, dtype=Name("torch.bool"), device=Attribute(QUERY, "device")
        )
        hidden: Code | None = ones.method("triu", 1)
    else:
        hidden = Unary("~", mask_code) if mask_code else None
    weights = query.like(*lead, steps, keys)
    return Lowering(
        output,
        call=_weights(width, scale, hidden, mask is not None),
        ports={
            "output": Port(output, Binary("@", RESULT, VALUE), alone=fused),
            "weights": Port(weights, RESULT),
        },
        products=((*weights.shape, width), (*output.shape, keys)),
    )


def _weights(width: Size, scale: float | None, hidden: Code | None, may_hide_all: bool) -> Code:
    """Return code that computes attention weights equal to the ones inside torch's fused attention."""
    scores: Code = Binary("@", QUERY, KEY.method("transpose", -2, -1))
    if scale is None:
        scores = Binary("/", scores, Binary("**", code(width), Constant(0.5)))
    else:
        scores = Binary("*", scores, Constant(scale, "scale"))
    if hidden is None:
        return scores.method("softmax", -1)
    weights = scores.method("masked_fill", hidden, HIDDEN).method("softmax", -1)
    # a row that is masked out entirely would be NaN; torch's fused attention makes it 0
    return weights.method("masked_fill", hidden, Constant(0.0)) if may_hide_all else weights


def _check_sources(query: TensorType, key: TensorType, value: TensorType) -> None:
    """Refuse sources of other ranks or different dtypes, widths of query and key, or other sizes."""
    for name, x in (("query", query), ("key", key), ("value", value)):
        floating(x, "attention", name)
        if not x.batched or len(x.dims) < 2:
            message = f"attention takes {name} (N, *, T, D)"
            help = to_sequence(x, "attention", f"{{{name}}}")
            raise OpFault("rank-mismatch", message, source=name, note=str(x), help=help)
        if x.dtype != query.dtype:
            raise dtype_disagreement({name: x, "query": query}, name, "query", "attention")
        if not same_dims(x.dims[:-2], query.dims[:-2]):
            raise _mismatch("equal sizes on every axis but the last two", name, x, "query", query)
    if not same_size(key.dims[-1], query.dims[-1]):
        raise _mismatch("keys of the same width as queries", "key", key, "query", query)
    if not same_size(value.dims[-2], key.dims[-2]):
        raise _mismatch("as many values as keys", "value", value, "key", key)


def _mismatch(needs: str, name: str, x: TensorType, other: str, y: TensorType) -> OpFault:
    """Return the fault of two sources whose sizes do not fit."""
    return OpFault(
        "shape-mismatch",
        f"attention needs {needs}",
        source=name,
        note=f"{x}, but {{{other}}} is {y}",
        mentions=(name, other),
    )


def _mask(mask: TensorType, weights: tuple[Size, ...]) -> Code:
    """Return the code of the mask in the rank of the weights; refuse one that does not broadcast."""
    wants = "attention takes a bool mask, true where attention is allowed"
    check_marks(mask, "real", wants, "mask")
    if mask.dtype != "bool":
        fault = truth_fault(mask, wants, "mask")
        if mask.is_floating:
            seen = "{{merge: formula, expr: m {} 0, from: {{m: {{mask}}}}}}"
            fault.help = f"if 1 and 0: {seen.format('>')}; if 0 and -inf: {seen.format('==')}"
        raise fault
    of_keys = mask.batched and len(mask.dims) == 1
    keys, steps = weights[-1], weights[-2]
    whole = (BATCH, *weights)
    if mask.rank not in ((2, len(whole)) if mask.batched else range(2, len(whole) + 1)):
        shape = f"(N, {keys}) or (N, {', '.join(map(str, weights))})"
        message = f"attention takes mask {shape}"
        lacks_one = mask.batched and len(mask.dims) == len(weights) - 1
        help = f"give it an axis: {node('Unsqueeze', '{mask}', 'dim: 1')}" if lacks_one else ""
        raise OpFault("rank-mismatch", message, source="mask", note=str(mask), help=help)
    wanted = (BATCH, keys) if of_keys else whole[len(whole) - mask.rank :]
    for size, full in zip(mask.shape, wanted, strict=True):
        if not same_size(size, full) and not (same_size(size, 1) and not of_keys):
            raise OpFault(
                "shape-mismatch",
                f"attention needs a mask for {steps} queries and {keys} keys",
                source="mask",
                note=str(mask),
                mentions=("mask", "query", "key"),
            )
    if not of_keys:
        return MASK
    return MASK.at(Tuple((Slice(), *(Constant(None),) * (len(weights) - 1))))
