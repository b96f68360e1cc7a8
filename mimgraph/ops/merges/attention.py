"""Merges that attend: scaled dot-product attention, and blocks of it for token sequences."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

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
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import RESULT, Lowering, Port
from mimgraph.ir.option_types import Depth, Positive, Probability
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.layer_call import merge
from mimgraph.ops.merges.agreement import Operands, dtype_disagreement, operands
from mimgraph.ops.merges.sketch import Sketch, named_inputs, numbered, token_width
from mimgraph.ops.op import OpFault, Sources
from mimgraph.ops.registry import find
from mimgraph.ops.rule_helpers import (
    TRUE,
    bad_option,
    changed,
    check_marks,
    compared,
    fitting,
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
    wants = f"attention takes a bool mask, {TRUE} where attention is allowed"
    check_marks(mask, "real", wants, "mask")
    if mask.dtype != "bool":
        fault = truth_fault(mask, wants, "mask")
        if mask.is_floating:
            seen, unhidden = (compared(expr, "mask") for expr in ("m > 0", "m == 0"))
            fault.help = f"if 1 and 0: {seen}; if 0 and -inf: {unhidden}"
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


# Define fusions of token sequences: attention between them, and transformers over all of them.


class CrossAttentionInputs(NamedTuple):
    query: TensorType
    key: TensorType
    value: TensorType | None = None
    key_padding_mask: TensorType | None = None


@merge(family="tokens")
def cross_attention(
    inputs: CrossAttentionInputs,
    /,
    num_heads: Positive,
    *,
    dropout: Probability = 0.0,
    residual: bool = True,
    norm: Literal["pre", "post", "none"] = "post",
) -> Block:
    """The query's tokens attend to the key's tokens: (N, L, E), (N, S, F) -> (N, L, E).

    Multi-head attention (Vaswani et al. 2017) as in a transformer's decoder. Without `value` the key
    is the value too; `key_padding_mask` (N, S) is true where attention is not allowed. `residual`
    adds the query to the result; the LayerNorm is on the sum (`post`) or on the query (`pre`).
    `dropout` applies to the attention weights, and to the result before it is added.

    Example:
        text: [12, 32]
        patches: [49, 64]
        {merge: cross_attention, from: {query: text, key: patches}, num_heads: 4}
    """
    _check_attention("cross_attention", num_heads, **inputs._asdict())
    given = tuple(key for key, x in inputs._asdict().items() if x is not None)
    doc = "Attention of the query's tokens to those of the key."
    sketch = Sketch("CrossAttention", *given, doc=doc)
    sources = {name: name for name in given}
    if norm == "pre":
        sources["query"] = sketch.layer("norm", "LayerNorm", "query")
    x = _attended(sketch, sources, num_heads, dropout if residual else 0.0, dropout)
    if residual:
        x = sketch.formula("sum", f"query + {x}")
    return sketch.block(sketch.layer("norm", "LayerNorm", x) if norm == "post" else x)


class CoAttentionInputs(NamedTuple):
    a: TensorType
    b: TensorType
    a_padding_mask: TensorType | None = None
    b_padding_mask: TensorType | None = None


@merge(ports=("a", "b"), family="tokens")
def co_attention(
    inputs: CoAttentionInputs,
    /,
    num_heads: Positive,
    *,
    num_layers: Depth = 1,
    dim_feedforward: Positive = 2048,
    dropout: Probability = 0.1,
) -> Block:
    """Two sequences attend to each other: (N, L, E), (N, S, F) -> the same two, ports `a` and `b`.

    The co-attentional transformer layer of ViLBERT (Lu et al. 2019): each attends to the other, then
    has a feed-forward network, both with a residual and a LayerNorm after it. `a_padding_mask` (N, L)
    and `b_padding_mask` (N, S) are true at tokens that are not attended to.

    Example:
        text: [12, 32]
        patches: [49, 64]
        {merge: co_attention, from: [text, patches], num_heads: 4, dim_feedforward: 64}
    """
    a, b, a_mask, b_mask = inputs
    name = "co_attention"
    renamed = {"query": "a", "key": "b", "key_padding_mask": "b_padding_mask"}
    _check_attention(name, num_heads, renamed, query=a, key=b, key_padding_mask=b_mask)
    renamed = {"query": "b", "key": "a", "key_padding_mask": "a_padding_mask"}
    _check_attention(name, num_heads, renamed, query=b, key=a, key_padding_mask=a_mask)
    given = tuple(key for key, x in inputs._asdict().items() if x is not None)
    doc = "Co-attentional transformer of ViLBERT (Lu et al. 2019)."
    if num_layers == 1:
        layer = Sketch("CoAttention", *given, doc=doc)
    else:
        layer = Sketch("CoAttentionLayer", *given, doc="Each of two sequences looks at the other.")
    for x, context in (("a", "b"), ("b", "a")):
        type_, mask = getattr(inputs, x), f"{context}_padding_mask"
        masked = mask in given
        stream = _cross_block(type_, num_heads, dim_feedforward, dropout, masked)
        layer.use(f"stream_{x}", stream, (x, context, mask) if masked else (x, context))
    both = layer.block(a="stream_a", b="stream_b")
    if num_layers == 1:
        return both
    sketch = Sketch("CoAttention", *given, doc=doc)
    sketch.use("layers", both, given, times=num_layers)
    return sketch.block(a="layers.a", b="layers.b")


@merge(family="tokens")
def transformer(
    sources: Sources,
    /,
    num_heads: Positive,
    *,
    num_layers: Depth = 1,
    dim_feedforward: Positive = 2048,
    dropout: Probability = 0.1,
    norm_first: bool = False,
) -> Block:
    """A transformer encoder on the tokens of all sources: n x (N, T_i, D) or (N, D) -> (N, T_0 + ... + T_n, D).

    The tokens of all sources are concatenated, a learned embedding of the source added to each;
    (N, D) is one token. Options are those of nn.TransformerEncoder (Vaswani et al. 2017).

    Example:
        text: [12, 32]
        image: [32]
        {merge: transformer, from: [text, image], num_heads: 4, dim_feedforward: 64}
    """
    named = operands(sources, "transformer")
    width = _heads("transformer", named, num_heads)
    names = numbered(len(sources))
    doc = "A transformer encoder on the tokens of all inputs."
    sketch = Sketch("FusionTransformer", *names, doc=doc)
    sketch.parameter("modality", len(sources), width, init={"normal": {"std": 0.02}})
    parts = []
    for index, (name, x) in enumerate(zip(names, sources, strict=True)):
        modality = sketch.layer(f"modality{index}", "Select", "modality", dim=0, index=index)
        token = _sequence(sketch, name, x)
        parts.append(sketch.formula(f"tokens{index}", f"{token} + {modality}"))
    tokens = sketch.merge("tokens", "concat", tuple(parts))
    options = {
        "num_layers": num_layers,
        "dim_feedforward": dim_feedforward,
        "dropout": dropout,
        "norm_first": norm_first,
    }
    return sketch.block(
        sketch.layer("encoder", "TransformerEncoder", tokens, nhead=num_heads, **options)
    )


@merge(family="tokens")
def bottleneck(
    sources: Sources,
    /,
    num_heads: Positive,
    *,
    num_bottlenecks: Positive = 4,
    num_layers: Depth = 2,
    dim_feedforward: Positive = 2048,
    dropout: Probability = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    norm_first: bool = False,
) -> Block:
    """Sequences that exchange through shared tokens: n x (N, T_i, D) -> the ports `0`, `1`, ...

    The multimodal bottleneck transformer (Nagrani et al. 2021): each layer applies one transformer
    layer a source to its tokens and the `num_bottlenecks` shared ones, and passes on the mean of the
    shared tokens. So sources affect each other from the second layer on. The paper uses the layers of
    ViT: `activation: gelu` and `norm_first: true`.

    Example:
        video: [16, 32]
        audio: [24, 32]
        {merge: bottleneck, from: [video, audio], num_heads: 4, dim_feedforward: 64}
    """
    named = operands(sources, "bottleneck")
    width = _heads("bottleneck", named, num_heads, lone=False)
    names = numbered(len(sources))
    options = {
        "nhead": num_heads,
        "dim_feedforward": dim_feedforward,
        "dropout": dropout,
        "activation": activation,
        "norm_first": norm_first,
    }
    doc = "A transformer layer for each input, on its tokens and the shared ones."
    layer = Sketch("BottleneckLayer", *names, "bottleneck", doc=doc)
    for index, name in enumerate(names):
        joined = layer.merge(f"joined{index}", "concat", (name, "bottleneck"))
        layer.layer(f"encoder{index}", "TransformerEncoderLayer", joined, **options)
        layer.layer(f"own{index}", "Slice", f"encoder{index}", dim=1, end=-num_bottlenecks)
        layer.layer(f"shared{index}", "Slice", f"encoder{index}", dim=1, start=-num_bottlenecks)
    mean = layer.merge("mean", "average", numbered(len(names), "shared"))
    own = dict(zip(names, numbered(len(names), "own"), strict=True))
    doc = "Multimodal bottleneck transformer (Nagrani et al. 2021)."
    sketch = Sketch("BottleneckTransformer", *names, doc=doc)
    init = {"normal": {"std": 0.02}}
    sketch.parameter("bottleneck", num_bottlenecks, width, init=init, batched=True)
    block = layer.block(**own, bottleneck=mean)
    sketch.use("layers", block, (*names, "bottleneck"), times=num_layers)
    return sketch.block(**{str(index): f"layers.{name}" for index, name in enumerate(names)})


@merge(family="tokens")
def perceiver(
    sources: Sources,
    /,
    num_heads: Positive,
    *,
    num_latents: Positive,
    latent_features: Positive | None = None,
    num_layers: Depth = 1,
    dim_feedforward: Positive = 2048,
    dropout: Probability = 0.0,
) -> Block:
    """Learned latents attend to all tokens: n x (N, T_i, D) or (N, D) -> (N, num_latents, latent_features).

    The Perceiver (Jaegle et al. 2021): cross-attention of the latents to the concatenated tokens,
    then `num_layers` transformer layers on the latents, norms first. (N, D) is one token;
    `latent_features` is D by default.

    Example:
        video: [64, 32]
        audio: [48, 32]
        {merge: perceiver, from: [video, audio], num_heads: 4, num_latents: 8, dim_feedforward: 64}
    """
    named = operands(sources, "perceiver", least=1)
    width = latent_features or token_width(named, "perceiver")
    token_width(named, "perceiver")
    _check_heads(num_heads, width)
    names = named_inputs(sources)
    sketch = Sketch("Perceiver", *names, doc="Perceiver (Jaegle et al. 2021).")
    init = {"trunc_normal": {"std": 0.02}}
    latents = sketch.parameter("latents", num_latents, width, init=init, batched=True)
    parts = tuple(_sequence(sketch, name, x) for name, x in zip(names, sources, strict=True))
    tokens = sketch.merge("tokens", "concat", parts) if len(parts) > 1 else parts[0]
    like = TensorType((num_latents, width))
    attend = _cross_block(like, num_heads, dim_feedforward, dropout, norm_first=True)
    x = sketch.use("attend", attend, (latents, tokens))
    options = {
        "num_layers": num_layers,
        "dim_feedforward": dim_feedforward,
        "dropout": dropout,
        "activation": "gelu",
        "norm_first": True,
    }
    return sketch.block(
        sketch.layer("encoder", "TransformerEncoder", x, nhead=num_heads, **options)
    )


# the parts of these fusions


def _cross_block(
    like: TensorType,
    num_heads: int,
    dim_feedforward: int,
    dropout: float,
    masked: bool = False,
    norm_first: bool = False,
) -> Block:
    """Return a transformer layer on `x` that attends to `context`, norms last or first."""
    masks = {"key_padding_mask": "padding_mask"} if masked else {}
    doc = "A transformer layer whose tokens look at those of the context."
    family = "LatentAttentionLayer" if norm_first else "CrossAttentionLayer"
    sketch = Sketch(family, "x", "context", *masks.values(), doc=doc)
    query, key = "x", "context"
    if norm_first:
        query = sketch.layer("norm_x", "LayerNorm", "x")
        key = sketch.layer("norm_context", "LayerNorm", "context")
    sources = {"query": query, "key": key} | masks
    attended = _attended(sketch, sources, num_heads, dropout, dropout)
    x = sketch.formula("attended_sum", f"x + {attended}")
    if not norm_first:
        x = sketch.layer("norm1", "LayerNorm", x)
    fed = sketch.layer("norm2", "LayerNorm", x) if norm_first else x
    drop = ("Dropout", {"p": dropout}) if dropout else None
    output = sketch.seq(
        "feedforward",
        fed,
        ("Linear", {"out_features": dim_feedforward}),
        ("GELU" if norm_first else "ReLU", {}),
        drop,
        ("Linear", {"out_features": like.dims[-1]}),
        drop,
    )
    x = sketch.formula("output", f"{x} + {output}")
    return sketch.block(x if norm_first else sketch.layer("norm2", "LayerNorm", x))


def _attended(
    sketch: Sketch, sources: dict[str, str], num_heads: int, after: float, inside: float
) -> str:
    """Add an attention, with dropout `inside` and `after` it; return the result."""
    options: dict[str, Any] = {"num_heads": num_heads, "dropout": inside}
    x = sketch.layer("attention", "MultiheadAttention", sources, **options)
    return sketch.layer("dropout", "Dropout", x, p=after) if after else x


def _sequence(sketch: Sketch, name: str, x: TensorType) -> str:
    """Return a source as a sequence of tokens; (N, D) gets an axis for its one token."""
    return name if len(x.dims) == 2 else sketch.layer(f"token_{name}", "Unsqueeze", name, dim=1)


def _check_attention(
    name: str,
    num_heads: int,
    renamed: dict[str, str] | None = None,
    **sources: TensorType | None,
) -> None:
    """Refuse sources and heads that MultiheadAttention refuses, with the names of this merge and its sources in the fault."""
    op = find("layer", "MultiheadAttention")
    assert op is not None
    given = {key: x for key, x in sources.items() if x is not None}
    try:
        op.infer(given, {**op.defaults, "num_heads": num_heads})
    except OpFault as fault:
        names = renamed or {}
        fault.message = fault.message.replace("MultiheadAttention", name)
        for key, other in names.items():
            fault.message = fault.message.replace(f" {key} ", f" {other} ")
            fault.help = fault.help.replace(f"{{{key}}}", f"{{{other}}}")
        fault.source = names.get(fault.source or "", fault.source)
        fault.mentions = tuple(names.get(key, key) for key in fault.mentions)
        raise


def _heads(name: str, sources: Operands, num_heads: int, lone: bool = True) -> int:
    """Return the common width of all tokens, which the heads must divide."""
    width = token_width(sources, name, lone)
    _check_heads(num_heads, width)
    return width


def _check_heads(num_heads: int, width: int) -> None:
    """Refuse a number of heads that does not divide the width."""
    if width % num_heads:
        message = f"num_heads {num_heads} does not divide the width {width}"
        raise bad_option("num_heads", message, fitting("num_heads", num_heads, width))
