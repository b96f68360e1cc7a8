"""Written from the registry by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias, overload

from mimgraph.builder import Tensor
from mimgraph.ir.dims.dim import Size
from mimgraph.ops.layer_call import LayerCall

_Activation: TypeAlias = str | Mapping[str, object] | LayerCall | Callable[..., LayerCall]

@overload
def add(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The sum of the sources: (*), (*) -> (*)."""

@overload
def add(
    *,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = ...,
    bias: Tensor | None = ...,
    *,
    dropout_p: float = ...,
    is_causal: bool = ...,
    scale: float | None = ...,
    enable_gqa: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Scaled dot-product attention: (N, *, L, D), (N, *, S, D), (N, *, S, E) -> (N, *, L, E).

    Vaswani et al. 2017. `mask` is true where attention is allowed: (N, S) for the keys of each sample,
    or of the rank of the weights, each axis equal or 1; without a batch it needs only 2 axes or more.
    `bias`, of relative positions for example, is added to the scores, and has the rank of the weights
    or no batch. With `enable_gqa`, as in torch, several heads of queries share one of keys and values:
    (N, 8, L, D), (N, 2, S, D). In training the weights are zero with probability `dropout_p`.
    """

@overload
def attention(
    *,
    dropout_p: float = ...,
    is_causal: bool = ...,
    scale: float | None = ...,
    enable_gqa: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def attention_pool(
    input: Tensor,
    mask: Tensor | None = ...,
    *,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The sum of the steps weighted by the softmax of a learned score: (N, T, D) -> (N, D).

    The score is w x; with `hidden_features` it is w tanh(W x + b), as in hierarchical attention
    networks (Yang et al. 2016). `mask` (N, T) is true at the steps that count.
    """

@overload
def attention_pool(
    *,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def average(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The mean of the sources: (*), (*) -> (*)."""

@overload
def average(
    *,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def bilinear(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    bias: bool = ...,
    in1_features: int = ...,
    in2_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """A learned bilinear form of two sources: (N, *, D), (N, *, E) -> (N, *, out_features).

    `a' W_k b + bias_k`, as nn.Bilinear, with out_features * D * E weights; `mlb`, `mutan`, `mfb` and
    `low_rank` have fewer.
    """

@overload
def bilinear(
    *,
    out_features: int,
    bias: bool = ...,
    in1_features: int = ...,
    in2_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def bottleneck(
    first: Tensor,
    /,
    *sources: Tensor,
    num_heads: int,
    num_bottlenecks: int = ...,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    activation: Literal["relu", "gelu"] = ...,
    norm_first: bool = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Sequences that exchange through shared tokens: n x (N, T_i, D) -> the ports `0`, `1`, ...

    The multimodal bottleneck transformer (Nagrani et al. 2021): each layer applies one transformer
    layer a source to its tokens and the `num_bottlenecks` shared ones, and passes on the mean of the
    shared tokens. So sources affect each other from the second layer on. The paper uses the layers of
    ViT: `activation: gelu` and `norm_first: true`.
    """

@overload
def bottleneck(
    *,
    num_heads: int,
    num_bottlenecks: int = ...,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    activation: Literal["relu", "gelu"] = ...,
    norm_first: bool = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def cin(
    first: Tensor,
    /,
    *sources: Tensor,
    layer_sizes: Sequence[int],
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Products of embeddings, coordinate by coordinate: n x (N, D) -> (N, sum of layer_sizes).

    The compressed interaction network of xDeepFM (Lian et al. 2018) on the rows x0, ..., xn: each
    layer mixes all products of its input rows with x0, ..., xn, and is summed over the coordinates.
    A single source (N, n, D) holds all rows.
    """

@overload
def cin(
    *,
    layer_sizes: Sequence[int],
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def co_attention(
    a: Tensor,
    b: Tensor,
    a_padding_mask: Tensor | None = ...,
    b_padding_mask: Tensor | None = ...,
    *,
    num_heads: int,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Two sequences attend to each other: (N, L, E), (N, S, F) -> the same two, ports `a` and `b`.

    The co-attentional transformer layer of ViLBERT (Lu et al. 2019): each attends to the other, then
    has a feed-forward network, both with a residual and a LayerNorm after it. `a_padding_mask` (N, L)
    and `b_padding_mask` (N, S) are true at tokens that are not attended to.
    """

@overload
def co_attention(
    *,
    num_heads: int,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def concat(
    first: Tensor,
    /,
    *sources: Tensor,
    dim: int = ...,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Concatenated along `dim`, equal on all other axes: (N, A), (N, B) -> (N, A + B).

    `missing: skip` leaves out missing optional sources; the size along `dim` is then known only at
    run time.
    """

@overload
def concat(
    *,
    dim: int = ...,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def cosine(
    first: Tensor,
    /,
    *sources: Tensor,
    dim: int = ...,
    eps: float = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The cosine of the angle between vectors along `dim`: (N, D), (N, D) -> (N,)."""

@overload
def cosine(
    *,
    dim: int = ...,
    eps: float = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def cross(
    first: Tensor,
    /,
    *sources: Tensor,
    num_layers: int = ...,
    rank: int | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Products of features up to order num_layers + 1: n x (N, D_i) -> (N, D_0 + ... + D_n).

    The cross network of DCN v2 (Wang et al. 2021) on x_0 = [x0, ..., xn]: each layer is
    x_0 * (W x + b) + x. With `rank` W is U V', with 2 * D * rank weights instead of D * D.
    """

@overload
def cross(
    *,
    num_layers: int = ...,
    rank: int | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def cross_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor | None = ...,
    key_padding_mask: Tensor | None = ...,
    *,
    num_heads: int,
    dropout: float = ...,
    residual: bool = ...,
    norm: Literal["pre", "post", "none"] = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The query's tokens attend to the key's tokens: (N, L, E), (N, S, F) -> (N, L, E).

    Multi-head attention (Vaswani et al. 2017) as in a transformer's decoder. Without `value` the key
    is the value too; `key_padding_mask` (N, S) is true where attention is not allowed. `residual`
    adds the query to the result; the LayerNorm is on the sum (`post`) or on the query (`pre`).
    `dropout` applies to the attention weights, and to the result before it is added.
    """

@overload
def cross_attention(
    *,
    num_heads: int,
    dropout: float = ...,
    residual: bool = ...,
    norm: Literal["pre", "post", "none"] = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def distance(
    first: Tensor,
    /,
    *sources: Tensor,
    p: float = ...,
    eps: float = ...,
    keepdim: bool = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The p-norm of the difference of vectors, along the last axis: (N, D), (N, D) -> (N,).

    As in torch, `eps` is added to each difference.
    """

@overload
def distance(
    *,
    p: float = ...,
    eps: float = ...,
    keepdim: bool = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def divide(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The first source divided by the second, float for integers: (*), (*) -> (*)."""

@overload
def divide(
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def dot(
    first: Tensor,
    /,
    *sources: Tensor,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The dot product along the last axis: (N, *, D), (N, *, D) -> (N, *)."""

@overload
def dot(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def dot_interaction(
    first: Tensor,
    /,
    *sources: Tensor,
    concat_first: bool = ...,
    self_interaction: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The first vector and the dot products of all pairs: K x (N, D) -> (N, D + K*(K - 1)/2).

    The interaction of DLRM (Naumov et al. 2019), whose first vector is the dense features:
    `concat_first` puts it in front, `self_interaction` also pairs each vector with itself.
    """

@overload
def dot_interaction(
    *,
    concat_first: bool = ...,
    self_interaction: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def einsum(
    first: Tensor,
    /,
    *sources: Tensor,
    equation: str,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Products summed over the letters that the right side omits: "n l d, n m d -> n l m".

    There is a letter for each axis, also for the batch, and one letter for it in all sources takes
    each sample alone. Different letters compare samples: "n d, m d -> n m" is (N, N). A source
    without a batch omits it; `...` is any number of axes, aligned at the last.
    """

@overload
def einsum(
    *,
    equation: str,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def factorization(
    first: Tensor,
    /,
    *sources: Tensor,
    reduce_sum: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The sum of the products of all pairs, (sum**2 - sum of squares) / 2: K x (N, D) -> (N, 1).

    The second order of a factorization machine (Rendle 2010). Without `reduce_sum` it stays
    (N, D), the bi-interaction of neural factorization machines (He & Chua 2017). A single source
    (N, K, D) holds all vectors.
    """

@overload
def factorization(
    *,
    reduce_sum: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def film(
    x: Tensor,
    condition: Tensor,
    *,
    dim: int = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Each channel of `x` scaled and shifted depending on `condition`: (N, C, *), (N, E) -> (N, C, *).

    Feature-wise linear modulation (Perez et al. 2018): gamma(condition) * x + beta(condition), where
    gamma and beta are Linears. `dim` is the axis of the channels, -1 for tokens (N, T, D).
    """

@overload
def film(
    *,
    dim: int = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def formula(  # type: ignore[overload-overlap]
    expr: str,
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
    **numbers: Size | float,
) -> LayerCall: ...
@overload
def formula(
    expr: str,
    sources: Mapping[str, Tensor] = ...,
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
    **named: Tensor | Size | float | None,
) -> Tensor:
    """An arithmetic expression of the sources: "g * a + (1 - g) * b", (*), (*) -> (*).

    It may contain + - * / // % **, comparisons, `and`, `or`, `not`, `pi`, and the functions abs sign round
    floor ceil exp log sqrt sin cos erf sigmoid tanh relu softplus where minimum maximum clamp. Integers stay
    integers, except for `/`. `$name` is a param or a size of the inputs, `$(...)` arithmetic of them; in
    Python a keyword gives a number or size, `formula("x / sqrt(n)", x=x, n=x.dims[0])`.

    A tensor has inf or nan where torch has them. Sizes alone do not: `x * sqrt($T - 9)` requires
    T >= 9, and `x * (1 / ($T - 5))` requires T != 5, at run time. A float result has the dtype of the
    model: write large angles inside, `cos(position * rate)`, as bfloat16 rounds them between two nodes.
    """

@overload
def gated(
    first: Tensor,
    /,
    *sources: Tensor,
    out_features: int,
    gate: Literal["sigmoid", "softmax"] = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The sum of tanh projections, each multiplied by a gate: n x (N, *, D_i) -> (N, *, out_features).

    The gated multimodal unit (Arevalo et al. 2017). Of two sources z = sigmoid(Wz [x0, x1]) and
    h = z * tanh(W0 x0) + (1 - z) * tanh(W1 x1); of more, each has a gate z_i = sigmoid(Wz_i [x0, ..., xn])
    of its own. With `gate: softmax` the gates of the sources sum to 1 for each feature.
    """

@overload
def gated(
    *,
    out_features: int,
    gate: Literal["sigmoid", "softmax"] = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def gather(
    input: Tensor,
    index: Tensor,
    *,
    dim: int,
    sparse_grad: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The values of `input` at each index along `dim`: (N, L, D), (N, K, D) -> (N, K, D) for dim 1.

    As torch.gather: `index` has as many axes as `input`, and may be shorter on the others.
    """

@overload
def gather(
    *,
    dim: int,
    sparse_grad: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def last_pool(
    input: Tensor,
    mask: Tensor | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The last step where `mask` (N, T) is true: (N, T, *) -> (N, *)."""

@overload
def last_pool(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def logical_and(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """True where all sources are true or not 0, to join masks: (*), (*) -> (*), bool."""

@overload
def logical_and(
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def logical_or(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """True where any source is true or not 0, to join masks: (*), (*) -> (*), bool."""

@overload
def logical_or(
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def low_rank(
    first: Tensor,
    /,
    *sources: Tensor,
    out_features: int,
    rank: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """A Linear of `tensor` in low-rank factors: n x (N, *, D_i) -> (N, *, out_features).

    Low-rank multimodal fusion (Liu et al. 2018): the sum over r of the product over the sources of W_i,r [x_i; 1].
    """

@overload
def low_rank(
    *,
    out_features: int,
    rank: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def masked_fill(
    input: Tensor,
    mask: Tensor,
    *,
    value: bool | float,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`value` where `mask` is true, else `input`: (*), (*) -> (*)."""

@overload
def masked_fill(
    *,
    value: bool | float,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def matmul(
    first: Tensor,
    /,
    *sources: Tensor,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The matrix product; one may lack a batch: (N, *, L, D), (N, *, D, M) -> (N, *, L, M)."""

@overload
def matmul(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def max_pool(
    input: Tensor,
    mask: Tensor | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The maximum over the steps where `mask` (N, T) is true: (N, T, *) -> (N, *)."""

@overload
def max_pool(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def maximum(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The elementwise maximum: (*), (*) -> (*)."""

@overload
def maximum(
    *,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def mean_pool(
    input: Tensor,
    mask: Tensor | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The mean over the steps where `mask` (N, T) is true: (N, T, *) -> (N, *)."""

@overload
def mean_pool(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def mfb(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    factors: int = ...,
    dropout: float = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Sums of `factors` products, normalised: (N, *, D), (N, *, E) -> (N, *, out_features).

    Multimodal factorized bilinear pooling (Yu et al. 2017): z = sum_pool(dropout(U a * V b)), then
    the signed root sign(z) * |z| ** 0.5 of each element, scaled to length 1.
    """

@overload
def mfb(
    *,
    out_features: int,
    factors: int = ...,
    dropout: float = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def minimum(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The elementwise minimum: (*), (*) -> (*)."""

@overload
def minimum(
    *,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def mlb(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """P (tanh(U a) * tanh(V b)), an element-wise product: (N, *, D), (N, *, E) -> (N, *, out_features).

    Multimodal low-rank bilinear pooling (Kim et al. 2017). `hidden_features` is the rank, the size
    of the product, by default out_features.
    """

@overload
def mlb(
    *,
    out_features: int,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def mmoe(
    first: Tensor,
    /,
    *sources: Tensor,
    out_features: int,
    tasks: Sequence[str],
    num_experts: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Shared experts, weighted by a separate gate for each task: n x (N, *, D_i) -> a port a task.

    Multi-gate mixture of experts (Ma et al. 2018), without the towers: each of `tasks` names a port
    (N, *, out_features). The experts are as in `moe`.
    """

@overload
def mmoe(
    *,
    out_features: int,
    tasks: Sequence[str],
    num_experts: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def moe(
    first: Tensor,
    /,
    *sources: Tensor,
    out_features: int,
    num_experts: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Experts on all sources, weighted by a softmax gate: n x (N, *, D_i) -> (N, *, out_features).

    A dense mixture (Jacobs et al. 1991) of x = [x0, ..., xn]: the sum over the experts of
    softmax(W x)_i * expert_i(x). An expert is a Linear; with `hidden_features` it is two of them
    with a ReLU between.
    """

@overload
def moe(
    *,
    out_features: int,
    num_experts: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def multiply(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The product of the sources: (*), (*) -> (*)."""

@overload
def multiply(
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def mutan(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    rank: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """A Tucker fusion whose core is a sum of `rank` products: (N, *, D), (N, *, E) -> (N, *, out_features).

    MUTAN (Ben-younes et al. 2017): z = sum over r of (M_r tanh(W_a a)) * (N_r tanh(W_b b)), and the
    result is W_o z. `hidden_features` is the size of the projections and of z, by default
    out_features.
    """

@overload
def mutan(
    *,
    out_features: int,
    rank: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def outer(
    first: Tensor,
    /,
    *sources: Tensor,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The outer product, one axis a source: (N, A), (N, B) -> (N, A, B)."""

@overload
def outer(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def pad_like(
    input: Tensor,
    like: Tensor,
    *,
    dim: int | Sequence[int],
    side: Literal["end", "start", "both"] = ...,
    value: bool | float = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`input` padded by `value` to the size of `like` along `dim`: (N, T, *), (N, S, *) -> (N, S, *).

    With `side: both` the end gets the odd one. The other axes of `like` are ignored.
    """

@overload
def pad_like(
    *,
    dim: int | Sequence[int],
    side: Literal["end", "start", "both"] = ...,
    value: bool | float = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def pairwise_dot(
    first: Tensor,
    /,
    *sources: Tensor,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The dot product of each pair, (1, 0), (2, 0), (2, 1), ...: K x (N, D) -> (N, K*(K - 1)/2)."""

@overload
def pairwise_dot(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def perceiver(
    first: Tensor,
    /,
    *sources: Tensor,
    num_heads: int,
    num_latents: int,
    latent_features: int | None = ...,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Learned latents attend to all tokens: n x (N, T_i, D) or (N, D) -> (N, num_latents, latent_features).

    The Perceiver (Jaegle et al. 2021): cross-attention of the latents to the concatenated tokens,
    then `num_layers` transformer layers on the latents, norms first. (N, D) is one token;
    `latent_features` is D by default.
    """

@overload
def perceiver(
    *,
    num_heads: int,
    num_latents: int,
    latent_features: int | None = ...,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def pick(
    input: Tensor,
    index: Tensor,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """One index of the first axis for each sample: (N, L, *), (N,) -> (N, *)."""

@overload
def pick(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def resize_like(
    input: Tensor,
    like: Tensor,
    *,
    mode: Literal[
        "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
    ] = ...,
    align_corners: bool | None = ...,
    antialias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`input` interpolated to the size of `like`: (N, C, H, W), (N, *, K, L) -> (N, C, K, L).

    As torch's `interpolate`, for one to three axes behind the channels.
    """

@overload
def resize_like(
    *,
    mode: Literal[
        "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
    ] = ...,
    align_corners: bool | None = ...,
    antialias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def scatter_add(
    input: Tensor,
    index: Tensor,
    src: Tensor,
    *,
    dim: int,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`src` added to `input` at each index along `dim`: (N, L), (N, K), (N, K) -> (N, L) for dim 1.

    As torch.scatter_add: the three have as many axes, and `index` may be shorter than `src`.
    """

@overload
def scatter_add(
    *,
    dim: int,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def sequence_mask(
    lengths: Tensor,
    like: Tensor | None = ...,
    *,
    maxlen: int | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """True at each sample's first `lengths` steps: (N,), (N, T, *) -> (N, T), bool.

    The number of steps is that of `like`, or `maxlen`. `attention` and the pools take this mask;
    `LogicalNot` turns it into torch's `key_padding_mask`.
    """

@overload
def sequence_mask(
    *,
    maxlen: int | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def squeeze_excite(
    a: Tensor,
    b: Tensor,
    *,
    reduction: int = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Two feature maps, channels scaled by gates of both: (N, C, *), (N, D, *) -> the same two.

    The multimodal transfer module (Joze et al. 2020): Z = relu(W [mean(a), mean(b)]) with the means
    over all axes behind the channels and (C + D) // `reduction` features; the ports `a` and `b` are
    a * 2 sigmoid(W_a Z) and b * 2 sigmoid(W_b Z).
    """

@overload
def squeeze_excite(
    *,
    reduction: int = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def stack(
    first: Tensor,
    /,
    *sources: Tensor,
    dim: int = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Stacked along a new axis, all of one shape: (N, D), (N, D) -> (N, 2, D)."""

@overload
def stack(
    *,
    dim: int = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def subtract(
    first: Tensor,
    /,
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The first source minus the second: (*), (*) -> (*)."""

@overload
def subtract(
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def take(
    input: Tensor,
    index: Tensor,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Several indices of the first axis for each sample: (N, V, *), (N, K) -> (N, K, *).

    The index may have any number of axes, (N, K, L) too. Without a batch it is the same for all
    samples, and an input without one is a table that all samples share: (V, *), (N, K) -> (N, K, *).
    """

@overload
def take(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def tensor(
    first: Tensor,
    /,
    *sources: Tensor,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """All products of features of different sources: n x (N, D_i) -> (N, (D_0 + 1) * ... * (D_n + 1)).

    The tensor fusion network (Zadeh et al. 2017): the outer product of [1; x_0], ..., [1; x_n],
    flattened. It has no weights; `low_rank` is a cheaper way to a Linear of it.
    """

@overload
def tensor(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def transformer(
    first: Tensor,
    /,
    *sources: Tensor,
    num_heads: int,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    norm_first: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """A transformer encoder on the tokens of all sources: n x (N, T_i, D) or (N, D) -> (N, T_0 + ... + T_n, D).

    The tokens of all sources are concatenated, a learned embedding of the source added to each;
    (N, D) is one token. Options are those of nn.TransformerEncoder (Vaswani et al. 2017).
    """

@overload
def transformer(
    *,
    num_heads: int,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    norm_first: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def weighted_sum(
    first: Tensor,
    /,
    *sources: Tensor,
    softmax: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """A sum with one learned weight a source, by default through a softmax: n x (N, *) -> (N, *).

    The scalar mix of ELMo (Peters et al. 2018) without its scale. The weights start equal: a mean
    with `softmax`, else a plain sum. `missing: skip` leaves out missing optional sources; the softmax
    is then over the weights of the others.
    """

@overload
def weighted_sum(
    *,
    softmax: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
@overload
def where(
    condition: Tensor,
    input: Tensor,
    other: Tensor,
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`input` where `condition` is true, else `other`: (*), (*), (*) -> (*)."""

@overload
def where(
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall: ...
