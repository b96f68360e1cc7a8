"""Define the Transformer (Vaswani et al. 2017), its stacks and their layers, always batch-first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.ir.code import Code, Operand
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering, Module, Product, module, module_call
from mimgraph.ir.option_types import Depth, Positive, PositiveFloat, Probability
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.layers.attention import (
    attention_products,
    attention_weights,
    causal_beside,
    check_attention,
    check_padding,
)
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    bad_option,
    fitting,
    known,
    same_size,
    weighted,
    weights,
    with_rank,
)

Activation: TypeAlias = Literal["relu", "gelu"]
Norm: TypeAlias = Literal["LayerNorm"]
Weights: TypeAlias = dict[str, tuple[int, ...]]


class EncoderLayerInputs(NamedTuple):
    src: TensorType
    src_mask: TensorType | None = None
    src_key_padding_mask: TensorType | None = None


class EncoderInputs(NamedTuple):
    src: TensorType
    mask: TensorType | None = None
    src_key_padding_mask: TensorType | None = None


class DecoderInputs(NamedTuple):
    tgt: TensorType
    memory: TensorType
    tgt_mask: TensorType | None = None
    memory_mask: TensorType | None = None
    tgt_key_padding_mask: TensorType | None = None
    memory_key_padding_mask: TensorType | None = None


class TransformerInputs(NamedTuple):
    src: TensorType
    tgt: TensorType
    src_mask: TensorType | None = None
    tgt_mask: TensorType | None = None
    memory_mask: TensorType | None = None
    src_key_padding_mask: TensorType | None = None
    tgt_key_padding_mask: TensorType | None = None
    memory_key_padding_mask: TensorType | None = None


class Config(NamedTuple):
    """Options that all parts of one Transformer have, in torch's order."""

    nhead: int
    dim_feedforward: Size
    dropout: float
    activation: str
    layer_norm_eps: float
    norm_first: bool
    bias: bool
    d_model: int = 0  # known once the sources are checked

    def checked(self, name: str, x: TensorType, source: str) -> Config:
        """Check the sequence `x` and return the options, sizes as numbers."""
        _check_sequence(name, x, source)
        d_model = known(x.dims[1], "d_model", source)
        if d_model % self.nhead:
            message = f"nhead {self.nhead} does not divide d_model {d_model}"
            raise bad_option("nhead", message, fitting("nhead", self.nhead, d_model))
        inner = known(self.dim_feedforward, "dim_feedforward")
        return self._replace(d_model=d_model, dim_feedforward=inner)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of a layer's constructor."""
        found = {"d_model": self.d_model, **self._asdict()}
        tail = {name: found.pop(name) for name in ("norm_first", "bias")}
        return {**found, "batch_first": True, **tail}

    def weights(self, attentions: Iterable[str]) -> Weights:
        """Return the weights of a layer: of these attentions, the feed-forward network and the norms."""
        width, inner = self.d_model, known(self.dim_feedforward, "dim_feedforward")
        found: Weights = {}
        count = 1
        for attention in attentions:
            found |= within(attention, attention_weights(width, width, width, self.bias))
            count += 1
        found |= within("linear1", self.affine((inner, width), inner))
        found |= within("linear2", self.affine((width, inner), width))
        for number in range(1, count + 1):
            found |= within(f"norm{number}", self.norm_weights())
        return found

    def affine(self, weight: tuple[int, ...], bias: int) -> Weights:
        """Return a weight of this shape, and a bias if there are any."""
        return weights(weight, bias, self.bias)

    def norm_weights(self) -> Weights:
        return self.affine((self.d_model,), self.d_model)

    def encoder_layer(self) -> Module:
        return module("TransformerEncoderLayer", self.weights(["self_attn"]), **self.arguments())

    def decoder_layer(self) -> Module:
        return module(
            "TransformerDecoderLayer",
            self.weights(["self_attn", "multihead_attn"]),
            **self.arguments(),
        )

    def work(self, x: TensorType, *attended: TensorType, layers: int = 1) -> Work:
        """Return the work of `layers` layers on `x`, which attends to each of `attended` in turn.

        An attention makes its result, the sum and the norm; the feed-forward network both linears,
        the activation, the sum and the norm.
        """
        inner = x.like(x.dims[0], self.dim_feedforward)
        products = [product for y in attended for product in attention_products(x, y, y)]
        products += [(*inner.shape, self.d_model)] * 2
        made = [x.like(layers, *x)] * (3 * len(attended) + 3) + [inner.like(layers, *inner)] * 2
        return Work(tuple((layers, *product) for product in products), tuple(made))

    def norm(self, wanted: str | None) -> Module | None:
        """Return the module of the norm behind a stack, if there is one."""
        if wanted is None:
            return None
        return module(
            wanted,
            self.norm_weights(),
            normalized_shape=self.d_model,
            eps=self.layer_norm_eps,
            bias=self.bias,
        )


class Work(NamedTuple):
    """The `products` and `makes` of a `Lowering`."""

    products: tuple[Product, ...]
    makes: tuple[TensorType, ...]

    def then(self, other: Work) -> Work:
        """Return the work of both."""
        return Work(self.products + other.products, self.makes + other.makes)

    def normed(self, *results: TensorType) -> Work:
        """Return the work with a norm behind the stack, which makes `results`."""
        return self._replace(makes=self.makes + results)


@layer("d_model", family="transformer")
def TransformerEncoderLayer(
    inputs: EncoderLayerInputs,
    /,
    nhead: Positive,
    dim_feedforward: Size = 2048,
    dropout: Probability = 0.1,
    activation: Activation = "relu",
    layer_norm_eps: PositiveFloat = 1e-5,
    *,
    norm_first: bool = False,
    bias: bool = True,
    is_causal: bool = False,
) -> Lowering:
    """Self-attention, then a feed-forward network, each with a residual: (N, S, E) -> (N, S, E).

    Vaswani et al. 2017. Masks are as in torch: `src_mask` (S, S) and `src_key_padding_mask` (N, S),
    true where attention is not allowed. `is_causal` hides later steps; without `src_mask` the
    causal mask is made.

    Example:
        tokens: [10, 16]
        {layer: TransformerEncoderLayer, from: tokens, nhead: 4, dim_feedforward: 32}
    """
    name, src = "TransformerEncoderLayer", inputs.src
    config = Config(nhead, dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias)
    config = config.checked(name, src, "src")
    masks = Masks(name, inputs._asdict(), nhead)
    masks.attention("src_mask", "src", "src", is_causal, hint="is_causal")
    masks.padding("src_key_padding_mask", "src")
    work = config.work(src, src)
    made = config.encoder_layer()
    return Lowering(src.like(*src), made, masks.call("src"), **work._asdict())


@layer("d_model", family="transformer")
def TransformerDecoderLayer(
    inputs: DecoderInputs,
    /,
    nhead: Positive,
    dim_feedforward: Size = 2048,
    dropout: Probability = 0.1,
    activation: Activation = "relu",
    layer_norm_eps: PositiveFloat = 1e-5,
    *,
    norm_first: bool = False,
    bias: bool = True,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
) -> Lowering:
    """Attention of `tgt` to itself, then to `memory`: (N, T, E), (N, S, E) -> (N, T, E).

    Vaswani et al. 2017. Masks are as in torch: `tgt_mask` (T, T), `memory_mask` (T, S),
    `tgt_key_padding_mask` (N, T) and `memory_key_padding_mask` (N, S), true where attention is not
    allowed. `tgt_is_causal` hides later steps; without `tgt_mask` the causal mask is made.

    Example:
        caption: [10, 16]
        patches: [49, 16]
        {layer: TransformerDecoderLayer, from: [caption, patches], nhead: 4, tgt_is_causal: true}
    """
    name, tgt = "TransformerDecoderLayer", inputs.tgt
    config = Config(nhead, dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias)
    config = config.checked(name, tgt, "tgt")
    masks = _decoder_masks(name, inputs, config, tgt_is_causal, memory_is_causal)
    work = config.work(tgt, tgt, inputs.memory)
    made = config.decoder_layer()
    return Lowering(tgt.like(*tgt), made, masks.call("tgt", "memory"), **work._asdict())


@layer("d_model", family="transformer")
def TransformerEncoder(
    inputs: EncoderInputs,
    /,
    nhead: Positive,
    num_layers: Depth,
    dim_feedforward: Size = 2048,
    dropout: Probability = 0.1,
    activation: Activation = "relu",
    layer_norm_eps: PositiveFloat = 1e-5,
    norm_first: bool = False,
    bias: bool = True,
    *,
    norm: Norm | None = None,
    enable_nested_tensor: bool = True,
    mask_check: bool = True,
    is_causal: bool = False,
) -> Lowering:
    """A stack of `num_layers` TransformerEncoderLayers: (N, S, E) -> (N, S, E).

    Vaswani et al. 2017. The options of the layers come first, then torch's for the stack;
    `norm: LayerNorm` adds one at its end. Masks are as in torch: `mask` (S, S) and `src_key_padding_mask`
    (N, S), true where attention is not allowed. `is_causal` hides later steps; without `mask` the
    causal mask is made.

    Example:
        x: [10, 16]
        pad: {shape: [10], dtype: bool}
        {layer: TransformerEncoder, from: {src: x, src_key_padding_mask: pad}, nhead: 4, num_layers: 2}
    """
    name, src = "TransformerEncoder", inputs.src
    config = Config(nhead, dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias)
    config = config.checked(name, src, "src")
    masks = Masks(name, inputs._asdict(), nhead)
    masks.attention("mask", "src", "src", is_causal, hint="is_causal", detects=True)
    masks.padding("src_key_padding_mask", "src")
    # torch would warn where it cannot use nested tensors
    nested = enable_nested_tensor and not norm_first and bias and nhead % 2 == 0
    made = module(
        name,
        stacked(config.encoder_layer(), num_layers, config.norm(norm)),
        encoder_layer=config.encoder_layer(),
        num_layers=num_layers,
        norm=config.norm(norm),
        enable_nested_tensor=nested,
        mask_check=mask_check,
    )
    work = config.work(src, src, layers=num_layers)
    if norm is not None:
        work = work.normed(src)
    return Lowering(src.like(*src), made, masks.call("src"), **work._asdict())


@layer("d_model", family="transformer")
def TransformerDecoder(
    inputs: DecoderInputs,
    /,
    nhead: Positive,
    num_layers: Depth,
    dim_feedforward: Size = 2048,
    dropout: Probability = 0.1,
    activation: Activation = "relu",
    layer_norm_eps: PositiveFloat = 1e-5,
    norm_first: bool = False,
    bias: bool = True,
    *,
    norm: Norm | None = None,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
) -> Lowering:
    """A stack of `num_layers` TransformerDecoderLayers: (N, T, E), (N, S, E) -> (N, T, E).

    Vaswani et al. 2017. The options of the layers come first, then torch's for the stack;
    `norm: LayerNorm` adds one at its end. Masks and `tgt_is_causal` are as in a TransformerDecoderLayer.

    Example:
        caption: [10, 16]
        patches: [49, 16]
        {layer: TransformerDecoder, from: [caption, patches], nhead: 4, num_layers: 2}
    """
    name, tgt = "TransformerDecoder", inputs.tgt
    config = Config(nhead, dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias)
    config = config.checked(name, tgt, "tgt")
    masks = _decoder_masks(name, inputs, config, tgt_is_causal, memory_is_causal, detects=True)
    made = module(
        name,
        stacked(config.decoder_layer(), num_layers, config.norm(norm)),
        decoder_layer=config.decoder_layer(),
        num_layers=num_layers,
        norm=config.norm(norm),
    )
    work = config.work(tgt, tgt, inputs.memory, layers=num_layers)
    if norm is not None:
        work = work.normed(tgt)
    return Lowering(tgt.like(*tgt), made, masks.call("tgt", "memory"), **work._asdict())


@layer("d_model", family="transformer")
def Transformer(
    inputs: TransformerInputs,
    /,
    nhead: Positive = 8,
    num_encoder_layers: Depth = 6,
    num_decoder_layers: Depth = 6,
    dim_feedforward: Size = 2048,
    dropout: Probability = 0.1,
    activation: Activation = "relu",
    layer_norm_eps: PositiveFloat = 1e-5,
    norm_first: bool = False,
    bias: bool = True,
    *,
    src_is_causal: bool = False,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
) -> Lowering:
    """An encoder of `src` and a decoder of `tgt`: (N, S, E), (N, T, E) -> (N, T, E).

    Vaswani et al. 2017. Masks are as in torch: `src_mask` (S, S), `tgt_mask` (T, T), `memory_mask`
    (T, S), and beside each a `..._key_padding_mask`, (N, S) or (N, T), true where attention is not
    allowed. `tgt_is_causal` hides later steps; without `tgt_mask` the causal mask is made.

    Example:
        source: [12, 16]
        target: [10, 16]
        {layer: Transformer, from: [source, target], nhead: 4, tgt_is_causal: true}
    """
    name, src, tgt = "Transformer", inputs.src, inputs.tgt
    config = Config(nhead, dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias)
    config = config.checked(name, src, "src")
    _check_sequence(name, tgt, "tgt")
    _check_width(name, "tgt", tgt, "src", config.d_model)
    masks = Masks(name, inputs._asdict(), nhead)
    masks.attention("src_mask", "src", "src", src_is_causal, hint="src_is_causal", detects=True)
    masks.attention("tgt_mask", "tgt", "tgt", tgt_is_causal, hint="tgt_is_causal", detects=True)
    masks.attention("memory_mask", "tgt", "src", memory_is_causal, hint="memory_is_causal")
    masks.padding("src_key_padding_mask", "src")
    masks.padding("tgt_key_padding_mask", "tgt")
    masks.padding("memory_key_padding_mask", "src")
    norm = config.norm("LayerNorm")
    encoder = stacked(config.encoder_layer(), num_encoder_layers, norm)
    decoder = stacked(config.decoder_layer(), num_decoder_layers, norm)
    arguments = config.arguments()
    made = module(
        name,
        within("encoder", encoder) | within("decoder", decoder),
        d_model=arguments.pop("d_model"),
        nhead=arguments.pop("nhead"),
        num_encoder_layers=num_encoder_layers,
        num_decoder_layers=num_decoder_layers,
        **arguments,
    )
    encoding = config.work(src, src, layers=num_encoder_layers).normed(src)
    decoding = config.work(tgt, tgt, src, layers=num_decoder_layers).normed(tgt)
    work = encoding.then(decoding)
    return Lowering(tgt.like(*tgt), made, masks.call("src", "tgt"), **work._asdict())


def within(name: str, weights: Mapping[str, tuple[int, ...]]) -> Weights:
    """Return the weights of a submodule with `name.` in front of their keys."""
    return {f"{name}.{key}": shape for key, shape in weights.items()}


def stacked(one: Module, count: int, norm: Module | None) -> Weights:
    """Return the weights of `count` layers and of the norm behind them."""
    found: Weights = {}
    for number in range(count):
        found |= within(f"layers.{number}", one.weights)
    return found | (within("norm", norm.weights) if norm else {})


class Masks:
    """Checks the masks of a layer and collects the arguments of its call."""

    def __init__(self, name: str, inputs: Mapping[str, TensorType | None], heads: int) -> None:
        self.name = name
        self.inputs = inputs
        self.heads = heads
        self.masks: dict[str, Code] = {}
        self.hints: dict[str, bool] = {}

    def steps(self, source: str) -> Size:
        """Return the length of a source."""
        x = self.inputs[source]
        assert x is not None
        return x.dims[0]

    def attention(
        self, name: str, query: str, key: str, is_causal: bool, hint: str, detects: bool = False
    ) -> None:
        """Add a mask of the attention weights; `is_causal` without a mask makes one."""
        mask, steps, keys = self.inputs[name], self.steps(query), self.steps(key)
        check_attention(self.name, name, mask, steps, keys, self.heads)
        if mask is not None:
            self.masks[name] = Operand(name)
        elif is_causal:
            self.masks[name] = causal_beside(Operand(query), steps, keys, name, self.inputs)
        if is_causal or (detects and mask is not None):
            # without the hint torch compares values, which torch.compile and export cannot trace
            self.hints[hint] = is_causal

    def padding(self, name: str, key: str) -> None:
        """Add a mask of the keys of each sample."""
        mask = self.inputs[name]
        check_padding(self.name, name, mask, self.steps(key))
        if mask is not None:
            self.masks[name] = Operand(name)

    def call(self, *sources: str) -> Code | None:
        """Return the call on these sources with the masks; None if there are none."""
        if not self.masks:
            return None
        return module_call(*map(Operand, sources), **self.masks, **self.hints)


def _decoder_masks(
    name: str,
    inputs: DecoderInputs,
    config: Config,
    tgt_is_causal: bool,
    memory_is_causal: bool,
    detects: bool = False,
) -> Masks:
    """Check the memory of a decoder, and return its masks."""
    _check_sequence(name, inputs.memory, "memory")
    _check_width(name, "memory", inputs.memory, "tgt", config.d_model)
    masks = Masks(name, inputs._asdict(), config.nhead)
    masks.attention("tgt_mask", "tgt", "tgt", tgt_is_causal, "tgt_is_causal", detects)
    masks.attention("memory_mask", "tgt", "memory", memory_is_causal, "memory_is_causal")
    masks.padding("tgt_key_padding_mask", "tgt")
    masks.padding("memory_key_padding_mask", "memory")
    return masks


def _check_sequence(name: str, x: TensorType, source: str) -> None:
    weighted(x, name, source)
    with_rank(x, 2, name, f"{source} (N, T, E)", source)


def _check_width(name: str, source: str, x: TensorType, other: str, d_model: int) -> None:
    """Refuse a source whose width differs from the other's."""
    if not same_size(x.dims[1], d_model):
        raise OpFault(
            "shape-mismatch",
            f"{name} needs {source} of the same width as {other}",
            source=source,
            note=f"{x}, but {{{other}}} is {d_model} wide",
            mentions=(source, other),
        )
