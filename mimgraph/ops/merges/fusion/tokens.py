"""Define fusions of token sequences: attention between them, and transformers over all of them."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from mimgraph.ir.declared_graph import Block
from mimgraph.ir.option_types import Depth, Positive, Probability
from mimgraph.ir.types import TensorType
from mimgraph.ops.merges.arithmetic.agreement import Operands, operands
from mimgraph.ops.merges.fusion.features import named_inputs, numbered, token_width
from mimgraph.ops.merges.fusion.sketch import Sketch
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import find, merge
from mimgraph.ops.rule_helpers import bad_option, fitting
from mimgraph.ops.signature import Sources


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
