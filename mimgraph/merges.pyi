"""Written from the registry by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, overload

from mimgraph.builder.tensor import Tensor
from mimgraph.ir.dim import Size
from mimgraph.ops.layer_call import Activation, MergeCall

@overload
def add(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The sum of the sources: (*), (*) -> (*).

    Example:
        a = mg.Input("a", (64,))
        b = mg.Input("b", (64,))
        y = merges.add(a, b, activation="ReLU")
    """

@overload
def add(
    *,
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Scaled dot-product attention: (N, *, L, D), (N, *, S, D), (N, *, S, E) -> (N, *, L, E).

    Vaswani et al. 2017. `mask` is true where attention is allowed: (N, S) for the keys of each sample,
    or of the rank of the weights, each axis equal or 1; without a batch it needs only 2 axes or more.
    `bias`, of relative positions for example, is added to the scores, and has the rank of the weights
    or no batch. With `enable_gqa`, as in torch, several heads of queries share one of keys and values:
    (N, 8, L, D), (N, 2, S, D). In training the weights are zero with probability `dropout_p`.

    Example:
        query = mg.Input("query", (10, 64))
        text = mg.Input("text", (8, 64))
        known = mg.Input("known", (8,), dtype="bool")
        y = merges.attention(query=query, key=text, value=text, mask=known)
    """

@overload
def attention(
    *,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def attention_pool(
    input: Tensor,
    mask: Tensor | None = None,
    *,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The sum of the steps weighted by the softmax of a learned score: (N, T, D) -> (N, D).

    The score is w x; with `hidden_features` it is w tanh(W x + b), as in hierarchical attention
    networks (Yang et al. 2016). `mask` (N, T) is true at the steps that count.

    Example:
        words = mg.Input("words", ("T", 16))
        real = mg.Input("real", ("T",), dtype="bool")
        y = merges.attention_pool(input=words, mask=real, hidden_features=8)
    """

@overload
def attention_pool(
    *,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def average(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The mean of the sources: (*), (*) -> (*).

    Example:
        a = mg.Input("a", (64,))
        b = mg.Input("b", (64,))
        c = mg.Input("c", (64,))
        y = merges.average(a, b, c)
    """

@overload
def average(
    *,
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def bilinear(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    bias: bool = True,
    in1_features: int | None = None,
    in2_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """A learned bilinear form of two sources: (N, *, D), (N, *, E) -> (N, *, out_features).

    `a' W_k b + bias_k`, as nn.Bilinear, with out_features * D * E weights; `mlb`, `mutan`, `mfb` and
    `low_rank` have fewer.

    Inferred from the sources: in1_features, in2_features.

    Example:
        image = mg.Input("image", (32,))
        text = mg.Input("text", (16,))
        y = merges.bilinear(image, text, out_features=8)
    """

@overload
def bilinear(
    *,
    out_features: int,
    bias: bool = True,
    in1_features: int | None = None,
    in2_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def bottleneck(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    num_heads: int,
    num_bottlenecks: int = 4,
    num_layers: int = 2,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    norm_first: bool = False,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Sequences that exchange through shared tokens: n x (N, T_i, D) -> the ports `0`, `1`, ...

    The multimodal bottleneck transformer (Nagrani et al. 2021): each layer applies one transformer
    layer a source to its tokens and the `num_bottlenecks` shared ones, and passes on the mean of the
    shared tokens. So sources affect each other from the second layer on. The paper uses the layers of
    ViT: `activation: gelu` and `norm_first: true`.

    Example:
        video = mg.Input("video", (16, 32))
        audio = mg.Input("audio", (24, 32))
        y = merges.bottleneck(video, audio, num_heads=4, dim_feedforward=64)
    """

@overload
def bottleneck(
    *,
    num_heads: int,
    num_bottlenecks: int = 4,
    num_layers: int = 2,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    norm_first: bool = False,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def cin(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    layer_sizes: Sequence[int],
    bias: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Products of embeddings, coordinate by coordinate: n x (N, D) -> (N, sum of layer_sizes).

    The compressed interaction network of xDeepFM (Lian et al. 2018) on the rows x0, ..., xn: each
    layer mixes all products of its input rows with x0, ..., xn, and is summed over the coordinates.
    A single source (N, n, D) holds all rows.

    Example:
        user = mg.Input("user", (16,))
        item = mg.Input("item", (16,))
        shop = mg.Input("shop", (16,))
        y = merges.cin(user, item, shop, layer_sizes=[8, 4])
    """

@overload
def cin(
    *,
    layer_sizes: Sequence[int],
    bias: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def co_attention(
    a: Tensor,
    b: Tensor,
    a_padding_mask: Tensor | None = None,
    b_padding_mask: Tensor | None = None,
    *,
    num_heads: int,
    num_layers: int = 1,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Two sequences attend to each other: (N, L, E), (N, S, F) -> the same two, ports `a` and `b`.

    The co-attentional transformer layer of ViLBERT (Lu et al. 2019): each attends to the other, then
    has a feed-forward network, both with a residual and a LayerNorm after it. `a_padding_mask` (N, L)
    and `b_padding_mask` (N, S) are true at tokens that are not attended to.

    Example:
        text = mg.Input("text", (12, 32))
        patches = mg.Input("patches", (49, 64))
        y = merges.co_attention(text, patches, num_heads=4, dim_feedforward=64)
    """

@overload
def co_attention(
    *,
    num_heads: int,
    num_layers: int = 1,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def concat(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    dim: int = 1,
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Concatenated along `dim`, equal on all other axes: (N, A), (N, B) -> (N, A + B).

    `missing: skip` leaves out missing optional sources; the size along `dim` is then known only at
    run time.

    Example:
        image = mg.Input("image", (64,))
        text = mg.Input("text", (32,))
        y = merges.concat(image, text)
    """

@overload
def concat(
    *,
    dim: int = 1,
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def cosine(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    dim: int = 1,
    eps: float = 1e-08,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The cosine of the angle between vectors along `dim`: (N, D), (N, D) -> (N,).

    Example:
        user = mg.Input("user", (64,))
        item = mg.Input("item", (64,))
        y = merges.cosine(user, item)
    """

@overload
def cosine(
    *,
    dim: int = 1,
    eps: float = 1e-08,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def cross(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    num_layers: int = 2,
    rank: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Products of features up to order num_layers + 1: n x (N, D_i) -> (N, D_0 + ... + D_n).

    The cross network of DCN v2 (Wang et al. 2021) on x_0 = [x0, ..., xn]: each layer is
    x_0 * (W x + b) + x. With `rank` W is U V', with 2 * D * rank weights instead of D * D.

    Example:
        user = mg.Input("user", (32,))
        item = mg.Input("item", (16,))
        y = merges.cross(user, item, num_layers=3)
    """

@overload
def cross(
    *,
    num_layers: int = 2,
    rank: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def cross_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor | None = None,
    key_padding_mask: Tensor | None = None,
    *,
    num_heads: int,
    dropout: float = 0.0,
    residual: bool = True,
    norm: Literal["pre", "post", "none"] = "post",
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The query's tokens attend to the key's tokens: (N, L, E), (N, S, F) -> (N, L, E).

    Multi-head attention (Vaswani et al. 2017) as in a transformer's decoder. Without `value` the key
    is the value too; `key_padding_mask` (N, S) is true where attention is not allowed. `residual`
    adds the query to the result; the LayerNorm is on the sum (`post`) or on the query (`pre`).
    `dropout` applies to the attention weights, and to the result before it is added.

    Example:
        text = mg.Input("text", (12, 32))
        patches = mg.Input("patches", (49, 64))
        y = merges.cross_attention(query=text, key=patches, num_heads=4)
    """

@overload
def cross_attention(
    *,
    num_heads: int,
    dropout: float = 0.0,
    residual: bool = True,
    norm: Literal["pre", "post", "none"] = "post",
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def distance(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    p: float = 2.0,
    eps: float = 1e-06,
    keepdim: bool = False,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The p-norm of the difference of vectors, along the last axis: (N, D), (N, D) -> (N,).

    As in torch, `eps` is added to each difference.

    Example:
        anchor = mg.Input("anchor", (64,))
        other = mg.Input("other", (64,))
        y = merges.distance(anchor, other)
    """

@overload
def distance(
    *,
    p: float = 2.0,
    eps: float = 1e-06,
    keepdim: bool = False,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def divide(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The first source divided by the second, float for integers: (*), (*) -> (*).

    Example:
        total = mg.Input("total", (8, 4))
        count = mg.Input("count", (8, 1))
        y = merges.divide(total, count, broadcast=True)
    """

@overload
def divide(
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def dot(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The dot product along the last axis: (N, *, D), (N, *, D) -> (N, *).

    Example:
        user = mg.Input("user", (64,))
        item = mg.Input("item", (64,))
        y = merges.dot(user, item)
    """

@overload
def dot(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def dot_interaction(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    concat_first: bool = True,
    self_interaction: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The first vector and the dot products of all pairs: K x (N, D) -> (N, D + K*(K - 1)/2).

    The interaction of DLRM (Naumov et al. 2019), whose first vector is the dense features:
    `concat_first` puts it in front, `self_interaction` also pairs each vector with itself.

    Example:
        dense = mg.Input("dense", (16,))
        city = mg.Input("city", (16,))
        job = mg.Input("job", (16,))
        y = merges.dot_interaction(dense, city, job)
    """

@overload
def dot_interaction(
    *,
    concat_first: bool = True,
    self_interaction: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def einsum(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    equation: str,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Products summed over the letters that the right side omits: "n l d, n m d -> n l m".

    There is a letter for each axis, also for the batch, and one letter for it in all sources takes
    each sample alone. Different letters compare samples: "n d, m d -> n m" is (N, N). A source
    without a batch omits it; `...` is any number of axes, aligned at the last.

    Example:
        queries = mg.Input("queries", (10, 64))
        keys = mg.Input("keys", (8, 64))
        y = merges.einsum(queries, keys, equation="n l d, n m d -> n l m")
    """

@overload
def einsum(
    *,
    equation: str,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def factorization(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    reduce_sum: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The sum of the products of all pairs, (sum**2 - sum of squares) / 2: K x (N, D) -> (N, 1).

    The second order of a factorization machine (Rendle 2010). Without `reduce_sum` it stays
    (N, D), the bi-interaction of neural factorization machines (He & Chua 2017). A single source
    (N, K, D) holds all vectors.

    Example:
        user = mg.Input("user", (16,))
        item = mg.Input("item", (16,))
        shop = mg.Input("shop", (16,))
        y = merges.factorization(user, item, shop)
    """

@overload
def factorization(
    *,
    reduce_sum: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def film(
    x: Tensor,
    condition: Tensor,
    *,
    dim: int = 1,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Each channel of `x` scaled and shifted depending on `condition`: (N, C, *), (N, E) -> (N, C, *).

    Feature-wise linear modulation (Perez et al. 2018): gamma(condition) * x + beta(condition), where
    gamma and beta are Linears. `dim` is the axis of the channels, -1 for tokens (N, T, D).

    Example:
        image = mg.Input("image", (16, 8, 8))
        question = mg.Input("question", (32,))
        y = merges.film(x=image, condition=question)
    """

@overload
def film(
    *,
    dim: int = 1,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def formula(  # type: ignore[overload-overlap]
    expr: str,
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
    **numbers: Size | float,
) -> MergeCall: ...
@overload
def formula(
    expr: str,
    sources: Mapping[str, Tensor] = {},
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
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

    Example:
        gate = mg.Input("gate", (64,))
        image = mg.Input("image", (64,))
        text = mg.Input("text", (64,))
        y = merges.formula("g * a + (1 - g) * b", g=gate, a=image, b=text)
    """

@overload
def gated(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    out_features: int,
    gate: Literal["sigmoid", "softmax"] = "sigmoid",
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The sum of tanh projections, each multiplied by a gate: n x (N, *, D_i) -> (N, *, out_features).

    The gated multimodal unit (Arevalo et al. 2017). Of two sources z = sigmoid(Wz [x0, x1]) and
    h = z * tanh(W0 x0) + (1 - z) * tanh(W1 x1); of more, each has a gate z_i = sigmoid(Wz_i [x0, ..., xn])
    of its own. With `gate: softmax` the gates of the sources sum to 1 for each feature.

    Example:
        image = mg.Input("image", (128,))
        text = mg.Input("text", (64,))
        y = merges.gated(image, text, out_features=32)
    """

@overload
def gated(
    *,
    out_features: int,
    gate: Literal["sigmoid", "softmax"] = "sigmoid",
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def gather(
    input: Tensor,
    index: Tensor,
    *,
    dim: int,
    sparse_grad: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The values of `input` at each index along `dim`: (N, L, D), (N, K, D) -> (N, K, D) for dim 1.

    As torch.gather: `index` has as many axes as `input`, and may be shorter on the others.

    Example:
        tokens = mg.Input("tokens", (10, 4))
        places = mg.Input("places", (3, 4), dtype="int64")
        y = merges.gather(tokens, places, dim=1)
    """

@overload
def gather(
    *,
    dim: int,
    sparse_grad: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def last_pool(
    input: Tensor,
    mask: Tensor | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The last step where `mask` (N, T) is true: (N, T, *) -> (N, *).

    Example:
        words = mg.Input("words", ("T", 16))
        real = mg.Input("real", ("T",), dtype="bool")
        y = merges.last_pool(input=words, mask=real)
    """

@overload
def last_pool(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def logical_and(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """True where all sources are true or not 0, to join masks: (*), (*) -> (*), bool.

    Example:
        real = mg.Input("real", ("T",), dtype="bool")
        chosen = mg.Input("chosen", ("T",), dtype="bool")
        y = merges.logical_and(real, chosen)
    """

@overload
def logical_and(
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def logical_or(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """True where any source is true or not 0, to join masks: (*), (*) -> (*), bool.

    Example:
        padding = mg.Input("padding", ("T",), dtype="bool")
        dropped = mg.Input("dropped", ("T",), dtype="bool")
        y = merges.logical_or(padding, dropped)
    """

@overload
def logical_or(
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def low_rank(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    out_features: int,
    rank: int = 4,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """A Linear of `tensor` in low-rank factors: n x (N, *, D_i) -> (N, *, out_features).

    Low-rank multimodal fusion (Liu et al. 2018): the sum over r of the product over the sources of W_i,r [x_i; 1].

    Example:
        image = mg.Input("image", (32,))
        text = mg.Input("text", (16,))
        audio = mg.Input("audio", (8,))
        y = merges.low_rank(image, text, audio, out_features=8)
    """

@overload
def low_rank(
    *,
    out_features: int,
    rank: int = 4,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def masked_fill(
    input: Tensor,
    mask: Tensor,
    *,
    value: bool | float,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """`value` where `mask` is true, else `input`: (*), (*) -> (*).

    Example:
        scores = mg.Input("scores", (4, 6))
        hidden = mg.Input("hidden", (4, 6), dtype="bool")
        y = merges.masked_fill(scores, hidden, value=float("-inf"))
    """

@overload
def masked_fill(
    *,
    value: bool | float,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def matmul(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The matrix product; one may lack a batch: (N, *, L, D), (N, *, D, M) -> (N, *, L, M).

    Example:
        weights = mg.Input("weights", (10, 8))
        values = mg.Input("values", (8, 64))
        y = merges.matmul(weights, values)
    """

@overload
def matmul(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def max_pool(
    input: Tensor,
    mask: Tensor | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The maximum over the steps where `mask` (N, T) is true: (N, T, *) -> (N, *).

    Example:
        words = mg.Input("words", ("T", 16))
        real = mg.Input("real", ("T",), dtype="bool")
        y = merges.max_pool(input=words, mask=real)
    """

@overload
def max_pool(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def maximum(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The elementwise maximum: (*), (*) -> (*).

    Example:
        a = mg.Input("a", (64,))
        b = mg.Input("b", (64,))
        y = merges.maximum(a, b)
    """

@overload
def maximum(
    *,
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def mean_pool(
    input: Tensor,
    mask: Tensor | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The mean over the steps where `mask` (N, T) is true: (N, T, *) -> (N, *).

    Example:
        words = mg.Input("words", ("T", 16))
        real = mg.Input("real", ("T",), dtype="bool")
        y = merges.mean_pool(input=words, mask=real)
    """

@overload
def mean_pool(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def mfb(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    factors: int = 5,
    dropout: float = 0.1,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Sums of `factors` products, normalised: (N, *, D), (N, *, E) -> (N, *, out_features).

    Multimodal factorized bilinear pooling (Yu et al. 2017): z = sum_pool(dropout(U a * V b)), then
    the signed root sign(z) * |z| ** 0.5 of each element, scaled to length 1.

    Example:
        image = mg.Input("image", (32,))
        text = mg.Input("text", (16,))
        y = merges.mfb(image, text, out_features=8)
    """

@overload
def mfb(
    *,
    out_features: int,
    factors: int = 5,
    dropout: float = 0.1,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def minimum(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The elementwise minimum: (*), (*) -> (*).

    Example:
        a = mg.Input("a", (64,))
        b = mg.Input("b", (64,))
        y = merges.minimum(a, b)
    """

@overload
def minimum(
    *,
    broadcast: bool = False,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def mlb(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """P (tanh(U a) * tanh(V b)), an element-wise product: (N, *, D), (N, *, E) -> (N, *, out_features).

    Multimodal low-rank bilinear pooling (Kim et al. 2017). `hidden_features` is the rank, the size
    of the product, by default out_features.

    Example:
        image = mg.Input("image", (32,))
        text = mg.Input("text", (16,))
        y = merges.mlb(image, text, out_features=8, hidden_features=64)
    """

@overload
def mlb(
    *,
    out_features: int,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def mmoe(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    out_features: int,
    tasks: Sequence[str],
    num_experts: int = 4,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Shared experts, weighted by a separate gate for each task: n x (N, *, D_i) -> a port a task.

    Multi-gate mixture of experts (Ma et al. 2018), without the towers: each of `tasks` names a port
    (N, *, out_features). The experts are as in `moe`.

    Example:
        user = mg.Input("user", (32,))
        item = mg.Input("item", (16,))
        y = merges.mmoe(user, item, out_features=8, tasks=["click", "like"])
    """

@overload
def mmoe(
    *,
    out_features: int,
    tasks: Sequence[str],
    num_experts: int = 4,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def moe(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    out_features: int,
    num_experts: int = 4,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Experts on all sources, weighted by a softmax gate: n x (N, *, D_i) -> (N, *, out_features).

    A dense mixture (Jacobs et al. 1991) of x = [x0, ..., xn]: the sum over the experts of
    softmax(W x)_i * expert_i(x). An expert is a Linear; with `hidden_features` it is two of them
    with a ReLU between.

    Example:
        image = mg.Input("image", (32,))
        text = mg.Input("text", (16,))
        y = merges.moe(image, text, out_features=8)
    """

@overload
def moe(
    *,
    out_features: int,
    num_experts: int = 4,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def multiply(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The product of the sources: (*), (*) -> (*).

    Example:
        image = mg.Input("image", (8, 4, 4))
        gate = mg.Input("gate", (8, 1, 1))
        y = merges.multiply(image, gate, broadcast=True)
    """

@overload
def multiply(
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def mutan(
    a: Tensor,
    b: Tensor,
    *,
    out_features: int,
    rank: int = 5,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """A Tucker fusion whose core is a sum of `rank` products: (N, *, D), (N, *, E) -> (N, *, out_features).

    MUTAN (Ben-younes et al. 2017): z = sum over r of (M_r tanh(W_a a)) * (N_r tanh(W_b b)), and the
    result is W_o z. `hidden_features` is the size of the projections and of z, by default
    out_features.

    Example:
        image = mg.Input("image", (32,))
        text = mg.Input("text", (16,))
        y = merges.mutan(image, text, out_features=8, rank=3, hidden_features=64)
    """

@overload
def mutan(
    *,
    out_features: int,
    rank: int = 5,
    hidden_features: int | None = None,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def outer(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The outer product, one axis a source: (N, A), (N, B) -> (N, A, B).

    Example:
        image = mg.Input("image", (8,))
        text = mg.Input("text", (4,))
        y = merges.outer(image, text)
    """

@overload
def outer(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def pad_like(
    input: Tensor,
    like: Tensor,
    *,
    dim: int | Sequence[int],
    side: Literal["end", "start", "both"] = "end",
    value: bool | float = 0,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """`input` padded by `value` to the size of `like` along `dim`: (N, T, *), (N, S, *) -> (N, S, *).

    With `side: both` the end gets the odd one. The other axes of `like` are ignored.

    Example:
        decoded = mg.Input("decoded", (8, 14, 14))
        skip = mg.Input("skip", (4, 15, 15))
        y = merges.pad_like(decoded, skip, dim=[2, 3], side="both")
    """

@overload
def pad_like(
    *,
    dim: int | Sequence[int],
    side: Literal["end", "start", "both"] = "end",
    value: bool | float = 0,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def pairwise_dot(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The dot product of each pair, (1, 0), (2, 0), (2, 1), ...: K x (N, D) -> (N, K*(K - 1)/2).

    The inner products of a product-based network (Qu et al. 2016).

    Example:
        user = mg.Input("user", (16,))
        item = mg.Input("item", (16,))
        shop = mg.Input("shop", (16,))
        y = merges.pairwise_dot(user, item, shop)
    """

@overload
def pairwise_dot(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def perceiver(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    num_heads: int,
    num_latents: int,
    latent_features: int | None = None,
    num_layers: int = 1,
    dim_feedforward: int = 2048,
    dropout: float = 0.0,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Learned latents attend to all tokens: n x (N, T_i, D) or (N, D) -> (N, num_latents, latent_features).

    The Perceiver (Jaegle et al. 2021): cross-attention of the latents to the concatenated tokens,
    then `num_layers` transformer layers on the latents, norms first. (N, D) is one token;
    `latent_features` is D by default.

    Example:
        video = mg.Input("video", (64, 32))
        audio = mg.Input("audio", (48, 32))
        y = merges.perceiver(video, audio, num_heads=4, num_latents=8, dim_feedforward=64)
    """

@overload
def perceiver(
    *,
    num_heads: int,
    num_latents: int,
    latent_features: int | None = None,
    num_layers: int = 1,
    dim_feedforward: int = 2048,
    dropout: float = 0.0,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def pick(
    input: Tensor,
    index: Tensor,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """One index of the first axis for each sample: (N, L, *), (N,) -> (N, *).

    Example:
        tokens = mg.Input("tokens", (10, 4))
        place = mg.Input("place", (), dtype="int64")
        y = merges.pick(tokens, place)
    """

@overload
def pick(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def resize_like(
    input: Tensor,
    like: Tensor,
    *,
    mode: Literal[
        "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
    ] = "nearest",
    align_corners: bool | None = None,
    antialias: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """`input` interpolated to the size of `like`: (N, C, H, W), (N, *, K, L) -> (N, C, K, L).

    As torch's `interpolate`, for one to three axes behind the channels.

    Example:
        coarse = mg.Input("coarse", (8, 7, 7))
        fine = mg.Input("fine", (4, 14, 14))
        y = merges.resize_like(coarse, fine, mode="bilinear")
    """

@overload
def resize_like(
    *,
    mode: Literal[
        "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
    ] = "nearest",
    align_corners: bool | None = None,
    antialias: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def scatter_add(
    input: Tensor,
    index: Tensor,
    src: Tensor,
    *,
    dim: int,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """`src` added to `input` at each index along `dim`: (N, L), (N, K), (N, K) -> (N, L) for dim 1.

    As torch.scatter_add: the three have as many axes, and `index` may be shorter than `src`.

    Example:
        totals = mg.Input("totals", (10,))
        group = mg.Input("group", (6,), dtype="int64")
        amount = mg.Input("amount", (6,))
        y = merges.scatter_add(input=totals, index=group, src=amount, dim=1)
    """

@overload
def scatter_add(
    *,
    dim: int,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def sequence_mask(
    lengths: Tensor,
    like: Tensor | None = None,
    *,
    maxlen: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """True at each sample's first `lengths` steps: (N,), (N, T, *) -> (N, T), bool.

    The number of steps is that of `like`, or `maxlen`. `attention` and the pools take this mask;
    `LogicalNot` turns it into torch's `key_padding_mask`.

    Example:
        words = mg.Input("words", ("T", 16))
        length = mg.Input("length", (), dtype="int64")
        y = merges.sequence_mask(lengths=length, like=words)
    """

@overload
def sequence_mask(
    *,
    maxlen: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def squeeze_excite(
    a: Tensor,
    b: Tensor,
    *,
    reduction: int = 4,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Two feature maps, channels scaled by gates of both: (N, C, *), (N, D, *) -> the same two.

    The multimodal transfer module (Joze et al. 2020): Z = relu(W [mean(a), mean(b)]) with the means
    over all axes behind the channels and (C + D) // `reduction` features; the ports `a` and `b` are
    a * 2 sigmoid(W_a Z) and b * 2 sigmoid(W_b Z).

    Example:
        rgb = mg.Input("rgb", (16, 8, 8))
        depth = mg.Input("depth", (8, 4, 4))
        y = merges.squeeze_excite(rgb, depth)
    """

@overload
def squeeze_excite(
    *,
    reduction: int = 4,
    bias: bool = True,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def stack(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    dim: int = 1,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Stacked along a new axis, all of one shape: (N, D), (N, D) -> (N, 2, D).

    Example:
        image = mg.Input("image", (64,))
        text = mg.Input("text", (64,))
        y = merges.stack(image, text)
    """

@overload
def stack(
    *,
    dim: int = 1,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def subtract(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """The first source minus the second: (*), (*) -> (*).

    Example:
        now = mg.Input("now", (64,))
        before = mg.Input("before", (64,))
        y = merges.subtract(now, before)
    """

@overload
def subtract(
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def take(
    input: Tensor,
    index: Tensor,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Several indices of the first axis for each sample: (N, V, *), (N, K) -> (N, K, *).

    The index may have any number of axes, (N, K, L) too. Without a batch it is the same for all
    samples, and an input without one is a table that all samples share: (V, *), (N, K) -> (N, K, *).

    Example:
        tokens = mg.Input("tokens", (10, 4))
        places = mg.Input("places", (3,), dtype="int64")
        y = merges.take(tokens, places)
    """

@overload
def take(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def tensor(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """All products of features of different sources: n x (N, D_i) -> (N, (D_0 + 1) * ... * (D_n + 1)).

    The tensor fusion network (Zadeh et al. 2017): the outer product of [1; x_0], ..., [1; x_n],
    flattened. It has no weights; `low_rank` is a cheaper way to a Linear of it.

    Example:
        image = mg.Input("image", (16,))
        text = mg.Input("text", (8,))
        y = merges.tensor(image, text)
    """

@overload
def tensor(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def transformer(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    num_heads: int,
    num_layers: int = 1,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    norm_first: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """A transformer encoder on the tokens of all sources: n x (N, T_i, D) or (N, D) -> (N, T_0 + ... + T_n, D).

    The tokens of all sources are concatenated, a learned embedding of the source added to each;
    (N, D) is one token. Options are those of nn.TransformerEncoder (Vaswani et al. 2017).

    Example:
        text = mg.Input("text", (12, 32))
        image = mg.Input("image", (32,))
        y = merges.transformer(text, image, num_heads=4, dim_feedforward=64)
    """

@overload
def transformer(
    *,
    num_heads: int,
    num_layers: int = 1,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    norm_first: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def weighted_sum(
    source: Tensor | Iterable[Tensor],
    /,
    *sources: Tensor | Iterable[Tensor],
    softmax: bool = True,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """A sum with one learned weight a source, by default through a softmax: n x (N, *) -> (N, *).

    The scalar mix of ELMo (Peters et al. 2018) without its scale. The weights start equal: a mean
    with `softmax`, else a plain sum. `missing: skip` leaves out missing optional sources; the softmax
    is then over the weights of the others.

    Example:
        a = mg.Input("a", (64,))
        b = mg.Input("b", (64,))
        y = merges.weighted_sum(a, b)
    """

@overload
def weighted_sum(
    *,
    softmax: bool = True,
    missing: Literal["skip"] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
@overload
def where(
    condition: Tensor,
    input: Tensor,
    other: Tensor,
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Tensor:
    """`input` where `condition` is true, else `other`: (*), (*), (*) -> (*).

    Example:
        known = mg.Input("known", (4,), dtype="bool")
        value = mg.Input("value", (4,))
        guess = mg.Input("guess", (4,))
        y = merges.where(condition=known, input=value, other=guess)
    """

@overload
def where(
    *,
    broadcast: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> MergeCall: ...
