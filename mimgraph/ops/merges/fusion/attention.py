"""Define scaled dot-product attention, which has no weights."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.ir.axes_help import node, to_sequence
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Code,
    Conditional,
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
from mimgraph.ir.option_types import Probability
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.merges.arithmetic.agreement import dtype_disagreement
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import (
    bad_option,
    changed,
    check_marks,
    floating,
    known,
    same_dims,
    same_size,
    truth_fault,
)

QUERY, KEY, VALUE, MASK, BIAS = map(Operand, ("query", "key", "value", "mask", "bias"))
TRAINING = Name("self.training")
HIDDEN = Constant(float("-inf"))  # the score of a key that is masked out


class AttentionInputs(NamedTuple):
    query: TensorType
    key: TensorType
    value: TensorType
    mask: TensorType | None = None
    bias: TensorType | None = None


@merge(ports=("output", "weights"), family="attention")
def attention(
    inputs: AttentionInputs,
    /,
    *,
    dropout_p: Probability = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Lowering:
    """Scaled dot-product attention: (N, *, L, D), (N, *, S, D), (N, *, S, E) -> (N, *, L, E).

    Vaswani et al. 2017. `mask` is true where attention is allowed: (N, S) for the keys of each sample,
    or of the rank of the weights, each axis equal or 1; without a batch it needs only 2 axes or more.
    `bias`, of relative positions for example, is added to the scores, and has the rank of the weights
    or no batch. With `enable_gqa`, as in torch, several heads of queries share one of keys and values:
    (N, 8, L, D), (N, 2, S, D). In training the weights are zero with probability `dropout_p`.

    Example:
        query: [10, 64]
        text: [8, 64]
        known: {shape: [8], dtype: bool}
        {merge: attention, from: {query: query, key: text, value: text, mask: known}}
    """
    query, key, value, mask, bias = inputs
    shared = _heads_of_a_key(query, key, enable_gqa)
    _check_sources(query, key, value, shared)
    *lead, steps, width = query
    weights = query.like(*lead, steps, key.dims[-2])
    output = query.like(*lead, steps, value.dims[-1])
    allowed = None if mask is None else _mask(mask, weights.dims, is_causal)
    hidden = Unary("~", allowed) if allowed else _later(*weights.dims[-2:]) if is_causal else None
    if bias is not None:
        _check_bias(bias, query, weights.dims)
    keywords = {
        **_mask_keywords(allowed, hidden, is_causal, bias is not None),
        **changed(
            dropout_p=(_in_training(dropout_p), None),
            scale=(scale, None),
            enable_gqa=(enable_gqa, False),
        ),
    }
    fused = call("F.scaled_dot_product_attention", QUERY, KEY, VALUE, **keywords)
    scores = _scores(_repeated(KEY, shared), width, scale)
    scores = scores if bias is None else Binary("+", scores, BIAS)
    made = _weights(scores, hidden, mask is not None)
    if dropout_p:
        made = call("F.dropout", made, p=dropout_p, training=TRAINING)
    return Lowering(
        output,
        call=made,
        ports={
            "output": Port(output, Binary("@", RESULT, _repeated(VALUE, shared)), alone=fused),
            "weights": Port(weights, RESULT),
        },
        products=((*weights.shape, width), (*output.shape, key.dims[-2])),
    )


def _mask_keywords(
    allowed: Code | None, hidden: Code | None, is_causal: bool, biased: bool
) -> dict[str, Code | bool]:
    """Return the arguments of torch's attention for a mask and a bias, of which it takes only one."""
    if not biased:
        return changed(attn_mask=(allowed, None), is_causal=(is_causal, False))
    return {"attn_mask": BIAS.method("masked_fill", hidden, HIDDEN) if hidden else BIAS}


def _heads_of_a_key(query: TensorType, key: TensorType, enable_gqa: bool) -> int | None:
    """Return how many heads of queries share a head of keys; None if each has its own."""
    if not enable_gqa:
        return None
    for name, x in (("query", query), ("key", key)):
        if not x.batched or len(x.dims) < 3:
            message = f"attention with enable_gqa takes {name} (N, *, H, T, D)"
            raise OpFault("rank-mismatch", message, source=name, note=str(x))
    heads = known(query.dims[-3], "the number of heads", "query")
    keys = known(key.dims[-3], "the number of heads", "key")
    if not keys or heads % keys:
        needs = "a number of heads of queries that those of keys divide"
        raise _mismatch(needs, "key", key, "query", query)
    return heads // keys


def _repeated(x: Operand, times: int | None) -> Code:
    """Return the code of keys or values with each head so many times, as torch's attention reads them."""
    return x if times is None else x.method("repeat_interleave", times, -3)


def _in_training(p: float) -> Code | None:
    """Return the code of a probability that is 0 in eval; None if it is always 0."""
    return Conditional(Constant(p, "dropout_p"), TRAINING, Constant(0.0)) if p else None


def _later(steps: Size, keys: Size) -> Code:
    """Return the code of a mask that is true at the keys behind each query."""
    on = Attribute(QUERY, "device")
    ones = call("torch.ones", steps, keys, dtype=Name("torch.bool"), device=on)
    return ones.method("triu", 1)


def _scores(key: Code, width: Size, scale: float | None) -> Code:
    """Return the code of the products of queries and keys, scaled."""
    products = Binary("@", QUERY, key.method("transpose", -2, -1))
    if scale is None:
        return Binary("/", products, Binary("**", code(width), Constant(0.5)))
    return Binary("*", products, Constant(scale, "scale"))


def _weights(scores: Code, hidden: Code | None, may_hide_all: bool) -> Code:
    """Return code that computes attention weights equal to the ones inside torch's fused attention."""
    if hidden is None:
        return scores.method("softmax", -1)
    weights = scores.method("masked_fill", hidden, HIDDEN).method("softmax", -1)
    # a row that is masked out entirely would be NaN; torch's fused attention makes it 0
    return weights.method("masked_fill", hidden, Constant(0.0)) if may_hide_all else weights


def _check_sources(
    query: TensorType, key: TensorType, value: TensorType, shared: int | None
) -> None:
    """Refuse sources of other ranks or different dtypes, widths of query and key, or other sizes."""
    for name, x in (("query", query), ("key", key), ("value", value)):
        floating(x, "attention", name)
        if not x.batched or len(x.dims) < 2:
            message = f"attention takes {name} (N, *, T, D)"
            help = to_sequence(x, "attention", f"{{{name}}}")
            raise OpFault("rank-mismatch", message, source=name, note=str(x), help=help)
        if x.dtype != query.dtype:
            raise dtype_disagreement({name: x, "query": query}, name, "query", "attention")
    free = 2 if shared is None else 3  # axes at the end that may differ
    if not same_dims(key.dims[:-free], query.dims[:-free]):
        needs = f"equal sizes on every axis but the last {'two' if shared is None else 'three'}"
        raise _mismatch(needs, "key", key, "query", query)
    if not same_dims(value.dims[:-2], key.dims[:-2]):
        other = ("query", query) if shared is None else ("key", key)
        raise _mismatch("equal sizes on every axis but the last two", "value", value, *other)
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


def _mask(mask: TensorType, weights: tuple[Size, ...], is_causal: bool) -> Code:
    """Return the code of the mask in the rank of the weights; refuse one that does not broadcast."""
    if is_causal:
        message = "attention takes a mask or is_causal, not both"
        help = "join it with a CausalMask by LogicalNot and logical_and"
        raise bad_option("is_causal", message, help)
    wants = "attention takes a bool mask, true where attention is allowed"
    check_marks(mask, "real", wants, "mask")
    if mask.dtype != "bool":
        fault = truth_fault(mask, wants, "mask")
        if mask.is_floating:
            seen = "{{merge: formula, expr: m {} 0, from: {{m: {{mask}}}}}}"
            fault.help = f"if 1 and 0: {seen.format('>')}; if 0 and -inf: {seen.format('==')}"
        raise fault
    if not (mask.batched and len(mask.dims) == 1):
        _check_fit(mask, "mask", weights, f"(N, {weights[-1]}) or ")
        return MASK
    if not same_size(mask.dims[0], weights[-1]):
        raise _misfit(mask, "mask", weights)
    return MASK.at(Tuple((Slice(), *(Constant(None),) * (len(weights) - 1))))


def _check_bias(bias: TensorType, query: TensorType, weights: tuple[Size, ...]) -> None:
    """Refuse a bias of another dtype, or that does not broadcast to the weights."""
    floating(bias, "attention", "bias")
    if bias.dtype != query.dtype:
        raise dtype_disagreement({"bias": bias, "query": query}, "bias", "query", "attention")
    _check_fit(bias, "bias", weights)


def _check_fit(x: TensorType, name: str, weights: tuple[Size, ...], or_else: str = "") -> None:
    """Refuse a tensor that does not have the rank of the weights, or less without a batch, each axis
    equal or 1; `or_else` is another shape that the source may have."""
    whole = (BATCH, *weights)
    if x.rank not in ((len(whole),) if x.batched else range(2, len(whole) + 1)):
        message = f"attention takes {name} {or_else}(N, {', '.join(map(str, weights))})"
        lacks_one = x.batched and len(x.dims) == len(weights) - 1
        help = f"give it an axis: {node('Unsqueeze', f'{{{name}}}', 'dim: 1')}" if lacks_one else ""
        raise OpFault("rank-mismatch", message, source=name, note=str(x), help=help)
    for size, full in zip(x.shape, whole[len(whole) - x.rank :], strict=True):
        if not same_size(size, full) and not same_size(size, 1):
            raise _misfit(x, name, weights)


def _misfit(x: TensorType, name: str, weights: tuple[Size, ...]) -> OpFault:
    """Return the fault of a mask or bias with other sizes than the weights."""
    return OpFault(
        "shape-mismatch",
        f"attention needs a {name} for {weights[-2]} queries and {weights[-1]} keys",
        source=name,
        note=str(x),
        mentions=(name, "query", "key"),
    )
