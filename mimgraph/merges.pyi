"""Written from the registry by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from mimgraph.builder import Tensor
from mimgraph.ops.registry import LayerCall

_Activation: TypeAlias = str | Mapping[str, object] | LayerCall | Callable[..., LayerCall]

def add(
    *sources: Tensor,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The sum: (*), (*) -> (*)."""

def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = ...,
    *,
    is_causal: bool = ...,
    scale: float | None = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Values by the likeness of query and key; `mask` is true where it may look: (N, *, L, D).

    Scaled dot-product attention (Vaswani et al. 2017). A mask is (N, S), of the keys, or has the
    rank of the weights, each axis equal or 1; one without a batch may have fewer axes, from 2 on.
    """

def attention_pool(
    input: Tensor,
    mask: Tensor | None = ...,
    *,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The steps weighed by the softmax of a learned score of each: (N, T, D) -> (N, D).

    The score is w x; with `hidden_features` it is w tanh(W x + b), as in hierarchical attention
    networks (Yang et al. 2016). `mask` (N, T) is true where a step is real.
    """

def average(
    *sources: Tensor,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The mean: (*), (*) -> (*)."""

def bilinear(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    bias: bool = ...,
    in1_features: int = ...,
    in2_features: int = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Every product of two features, weighed: (N, *, D), (N, *, E) -> (N, *, out_features).

    `a' W_k b + bias_k`, an nn.Bilinear, of out_features * D * E weights; `mlb`, `mutan`, `mfb` and
    `low_rank` need fewer.
    """

def bottleneck(
    *sources: Tensor,
    num_heads: int,
    num_bottlenecks: int = ...,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    activation: Literal["relu", "gelu"] = ...,
    norm_first: bool = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Sequences that see each other through a few tokens: n x (N, T_i, D) -> the ports `0`, `1`, ...

    The multimodal bottleneck transformer (Nagrani et al. 2021): in each layer a transformer layer
    of each source runs on its tokens and the `num_bottlenecks` shared ones, of which the mean over
    the sources goes on. So what a source says reaches the others in the second layer. The paper's
    layers are those of ViT: `activation: gelu` and `norm_first: true`.
    """

def cin(
    *sources: Tensor,
    layer_sizes: Sequence[int],
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Products of whole embeddings, coordinate by coordinate: n x (N, D) -> (N, sum of layer_sizes).

    The compressed interaction network of xDeepFM (Lian et al. 2018) on the rows x0, ..., xn: each
    layer mixes all products of a row of the layer before with one of these, and is summed over
    its coordinates. A lone source (N, n, D) holds all rows.
    """

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
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Two sequences look at each other: (N, L, E), (N, S, F) -> both again, the ports `a` and `b`.

    The co-attentional transformer layer of ViLBERT (Lu et al. 2019): tokens of each attend to those
    of the other, then pass a feed-forward network, each with a residual and a LayerNorm behind it.
    `a_padding_mask` (N, L) and `b_padding_mask` (N, S) are true where they may not be looked at.
    """

def concat(
    *sources: Tensor,
    dim: int = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """One behind the other along `dim`, equal on all other axes: (N, A), (N, B) -> (N, A + B)."""

def cosine(
    *sources: Tensor,
    dim: int = ...,
    eps: float = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The cosine of the angle between vectors along `dim`: (N, D), (N, D) -> (N,)."""

def cross(
    *sources: Tensor,
    num_layers: int = ...,
    rank: int | None = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Products of ever more features: n x (N, D_i) -> (N, D_0 + ... + D_n).

    The cross network of DCN v2 (Wang et al. 2021) on x_0 = [x0, ..., xn]: each layer is
    x_0 * (W x + b) + x. With `rank` W is U V', of 2 * D * rank weights for D * D.
    """

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
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Each query token looks at all key tokens: (N, L, E), (N, S, F) -> (N, L, E).

    Multi-head attention (Vaswani et al. 2017) as in a transformer's decoder. A key alone is the
    value too; `key_padding_mask` (N, S) is true where it may not look. The query is added to the
    result (`residual`), and a LayerNorm is over the sum (`post`) or over the query (`pre`).
    `dropout` is that of the attention weights and of what is added.
    """

def distance(
    *sources: Tensor,
    p: float = ...,
    eps: float = ...,
    keepdim: bool = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The p-norm of the difference of vectors, along the last axis: (N, D), (N, D) -> (N,).

    As in torch, `eps` is added to each difference.
    """

def divide(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The first over the second; whole numbers give floats: (*), (*) -> (*)."""

def dot(
    *sources: Tensor,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The dot product of two vectors: (N, D), (N, D) -> (N,)."""

def dot_interaction(
    *sources: Tensor,
    concat_first: bool = ...,
    self_interaction: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The first vector and the dot products of all pairs: K x (N, D) -> (N, D + K*(K - 1)/2).

    The interaction of DLRM (Naumov et al. 2019), whose first vector is that of the dense features:
    `concat_first` puts it in front, `self_interaction` pairs each vector with itself as well.
    """

def einsum(
    *sources: Tensor,
    equation: str,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Products of axes by letter, summed where `equation` drops one: "n l d, n m d -> n l m".

    Letters are axes as torch counts them, so that of the batch comes first; a source may lack it.
    `...` is any number of axes, the same in each source from the last on.
    """

def factorization(
    *sources: Tensor,
    reduce_sum: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Half of (sum**2 - sum of squares), the products of all pairs summed: K x (N, D) -> (N, 1).

    The second order of a factorization machine (Rendle 2010). Without `reduce_sum` it stays
    (N, D), the bi-interaction of neural factorization machines (He & Chua 2017). A lone source
    (N, K, D) holds all vectors.
    """

def film(
    x: Tensor,
    condition: Tensor,
    *,
    dim: int = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Each channel of `x` scaled and shifted by what `condition` says: (N, C, *), (N, E) -> (N, C, *).

    Feature-wise linear modulation (Perez et al. 2018): gamma(condition) * x + beta(condition), both
    of them Linear. `dim` is the axis of the channels, -1 for tokens (N, T, D).
    """

def formula(
    expr: str,
    sources: Mapping[str, Tensor] = ...,
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
    **named: Tensor | None,
) -> Tensor:
    """Arithmetic as one reads it: "g * a + (1 - g) * b", (*), (*) -> (*).

    It has + - * / // % **, comparisons, and abs exp log sqrt sin cos sigmoid tanh relu softplus
    where minimum maximum clamp. Whole numbers stay whole, but for `/`.
    """

def gated(
    *sources: Tensor,
    out_features: int,
    gate: Literal["sigmoid", "softmax"] = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Each source projected by tanh and let through by a gate: n x (N, *, D_i) -> (N, *, out_features).

    The gated multimodal unit (Arevalo et al. 2017). Of two sources z = sigmoid(Wz [x0, x1]) and
    h = z * tanh(W0 x0) + (1 - z) * tanh(W1 x1); of more, each has a gate z_i = sigmoid(Wz_i [x0, ..., xn])
    of its own. With `gate: softmax` the gates of the sources sum to 1 for each feature.
    """

def gather(
    input: Tensor,
    index: Tensor,
    *,
    dim: int,
    sparse_grad: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """What stands in `input` at each index along `dim`: (N, L, D), (N, K, D) -> (N, K, D) for dim 1.

    It is torch's: the index has as many axes as the input, and on the others it may be shorter.
    """

def last_pool(
    input: Tensor,
    mask: Tensor | None = ...,
    *,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The last of the steps; `mask` (N, T) is true where one is real: (N, T, *) -> (N, *)."""

def logical_and(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """True where all are true, or not 0, as masks are joined: (*), (*) -> (*), bool."""

def logical_or(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """True where any is true, or not 0, as masks are joined: (*), (*) -> (*), bool."""

def low_rank(
    *sources: Tensor,
    out_features: int,
    rank: int = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The tensor fusion through factors of a low rank: n x (N, *, D_i) -> (N, *, out_features).

    LMF (Liu et al. 2018): the sum over r of the product over the sources of W_i,r [x_i; 1].
    """

def masked_fill(
    input: Tensor,
    mask: Tensor,
    *,
    value: bool | float,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`value` where `mask` is true, else `input`: (*), (*) -> (*)."""

def matmul(
    *sources: Tensor,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The matrix product: (N, *, L, D), (N, *, D, M) -> (N, *, L, M); one may lack a batch."""

def max_pool(
    input: Tensor,
    mask: Tensor | None = ...,
    *,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The largest of the steps; `mask` (N, T) is true where one is real: (N, T, *) -> (N, *)."""

def maximum(
    *sources: Tensor,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The largest of each element: (*), (*) -> (*)."""

def mean_pool(
    input: Tensor,
    mask: Tensor | None = ...,
    *,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The mean of the steps; `mask` (N, T) is true where one is real: (N, T, *) -> (N, *)."""

def mfb(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    factors: int = ...,
    dropout: float = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Sums of `factors` products each, normalised: (N, *, D), (N, *, E) -> (N, *, out_features).

    Multimodal factorized bilinear pooling (Yu et al. 2017): z = sum_pool(dropout(U a * V b)), then
    the signed root of each element, sign(z) * |z| ** 0.5, and the result of length 1.
    """

def minimum(
    *sources: Tensor,
    broadcast: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The smallest of each element: (*), (*) -> (*)."""

def mlb(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """P (tanh(U a) * tanh(V b)), an element-wise product: (N, *, D), (N, *, E) -> (N, *, out_features).

    Multimodal low-rank bilinear pooling (Kim et al. 2017). `hidden_features` is the rank, the size
    of the product; without it, it is out_features.
    """

def mmoe(
    *sources: Tensor,
    out_features: int,
    tasks: Sequence[str],
    num_experts: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Shared experts, weighed for each task by a gate of its own: n x (N, *, D_i) -> a port a task.

    Multi-gate mixture of experts (Ma et al. 2018), without the towers: each port, called as in
    `tasks`, is (N, *, out_features). The experts are those of `moe`.
    """

def moe(
    *sources: Tensor,
    out_features: int,
    num_experts: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Experts on all sources, weighed by a softmax gate: n x (N, *, D_i) -> (N, *, out_features).

    A dense mixture (Jacobs et al. 1991) of x = [x0, ..., xn]: the sum over the experts of
    softmax(W x)_i * expert_i(x). An expert is a Linear; with `hidden_features` it is two of them
    with a ReLU between.
    """

def multiply(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The product: (*), (*) -> (*)."""

def mutan(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    rank: int = ...,
    hidden_features: int | None = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """A Tucker fusion whose core is a sum of `rank` products: (N, *, D), (N, *, E) -> (N, *, out_features).

    MUTAN (Ben-younes et al. 2017): z = sum over r of (M_r tanh(W_a a)) * (N_r tanh(W_b b)), and the
    result is W_o z. `hidden_features` is the size of the projections and of z; without it, it is
    out_features.
    """

def outer(
    *sources: Tensor,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Each element times each other, an axis a source: (N, A), (N, B) -> (N, A, B)."""

def pad_like(
    input: Tensor,
    like: Tensor,
    *,
    dim: int | Sequence[int],
    side: Literal["end", "start", "both"] = ...,
    value: bool | float = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`input` as long as `like` along `dim`, by `value` behind it: (N, T, *), (N, S, *) -> (N, S, *).

    On both sides, an odd one goes behind. The other axes of `like` do not count.
    """

def pairwise_dot(
    *sources: Tensor,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The dot product of each pair, (1, 0), (2, 0), (2, 1), ...: K x (N, D) -> (N, K*(K - 1)/2)."""

def perceiver(
    *sources: Tensor,
    num_heads: int,
    num_latents: int,
    latent_features: int | None = ...,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Learned latents look at all tokens: n x (N, T_i, D) or (N, D) -> (N, num_latents, latent_features).

    The Perceiver (Jaegle et al. 2021): one cross-attention of the latents to the tokens of all
    sources in a row, then `num_layers` transformer layers among the latents, norms first. (N, D) is
    one token; `latent_features` is D unless given.
    """

def pick(
    input: Tensor,
    index: Tensor,
    *,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Each sample's own position of the first axis: (N, L, *), (N,) -> (N, *)."""

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
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`input` interpolated to the size of `like`: (N, C, H, W), (N, *, K, L) -> (N, C, K, L).

    It is torch's `interpolate`, of one to three axes behind the channels.
    """

def scatter_add(
    input: Tensor,
    index: Tensor,
    src: Tensor,
    *,
    dim: int,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`src` added to `input` at each index along `dim`: (N, L), (N, K), (N, K) -> (N, L) for dim 1.

    It is torch's: the three have as many axes, and `index` may be shorter than `src`.
    """

def sequence_mask(
    lengths: Tensor,
    like: Tensor | None = ...,
    *,
    maxlen: int | None = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """True at each sample's first `lengths` steps: (N,), (N, T, *) -> (N, T), bool.

    There are as many steps as `like` has, or `maxlen`. It is the mask of `attention` and of the
    pools; `LogicalNot` makes torch's `key_padding_mask` of it.
    """

def squeeze_excite(
    a: Tensor,
    b: Tensor,
    *,
    reduction: int = ...,
    bias: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Channels of two feature maps, scaled by what both hold: (N, C, *), (N, D, *) -> the same two.

    The multimodal transfer module (Joze et al. 2020). Of the means over all axes behind the
    channels Z = relu(W [mean(a), mean(b)]) of (C + D) // `reduction` features, then
    a * 2 sigmoid(W_a Z) and b * 2 sigmoid(W_b Z), as the ports `a` and `b`.
    """

def stack(
    *sources: Tensor,
    dim: int = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Along a new axis, all of one shape: (N, D), (N, D) -> (N, 2, D)."""

def subtract(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """The first without the second: (*), (*) -> (*)."""

def tensor(
    *sources: Tensor,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """Every product of features of some of the sources: n x (N, D_i) -> (N, (D_0 + 1) * ... * (D_n + 1)).

    The tensor fusion network (Zadeh et al. 2017): the outer product of [1; x_0], ..., [1; x_n],
    flattened. It has no weights; `low_rank` is what a Linear of it costs less.
    """

def transformer(
    *sources: Tensor,
    num_heads: int,
    num_layers: int = ...,
    dim_feedforward: int = ...,
    dropout: float = ...,
    norm_first: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """All tokens look at all tokens: n x (N, T_i, D) or (N, D) -> (N, T_0 + ... + T_n, D).

    A transformer encoder (Vaswani et al. 2017) on the tokens of all sources in a row, to each of
    which a learned embedding of its source is added; (N, D) is one token. Options are those of
    nn.TransformerEncoder.
    """

def weighted_sum(
    *sources: Tensor,
    softmax: bool = ...,
    missing: Literal["skip"] | None = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """A sum with one learned weight a source, softmax-normalised or not: n x (N, *) -> (N, *).

    The weights start equal: a mean where they are normalised, else a plain sum.
    The scalar mix of ELMo (Peters et al. 2018) without its scale. With `missing: skip` it goes without
    the optional sources that are missing, and the weights of the others are normalised.
    """

def where(
    condition: Tensor,
    input: Tensor,
    other: Tensor,
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    freeze: bool = ...,
    name: str | None = ...,
) -> Tensor:
    """`input` where `condition` is true, else `other`: (*), (*), (*) -> (*)."""
