"""The merges of the catalogue: a function each, in a file for each family."""

from mimgraph.merges.attention import attention
from mimgraph.merges.bilinear import bilinear, low_rank, mfb, mlb, mutan, tensor
from mimgraph.merges.crosses import cin, cross
from mimgraph.merges.einsum import einsum
from mimgraph.merges.elementwise import (
    add,
    average,
    divide,
    logical_and,
    logical_or,
    maximum,
    minimum,
    multiply,
    subtract,
    where,
)
from mimgraph.merges.experts import mmoe, moe
from mimgraph.merges.fill import masked_fill, pad_like
from mimgraph.merges.formula import formula
from mimgraph.merges.gates import gated, weighted_sum
from mimgraph.merges.indexing import gather, pick, scatter_add
from mimgraph.merges.interaction import dot_interaction, factorization, pairwise_dot
from mimgraph.merges.join import concat, stack
from mimgraph.merges.likeness import cosine, distance
from mimgraph.merges.masks import sequence_mask
from mimgraph.merges.modulation import film, squeeze_excite
from mimgraph.merges.pooling import attention_pool, last_pool, max_pool, mean_pool
from mimgraph.merges.product import dot, matmul, outer
from mimgraph.merges.resize import resize_like
from mimgraph.merges.tokens import bottleneck, co_attention, cross_attention, perceiver, transformer

__all__ = [
    "add",
    "attention",
    "attention_pool",
    "average",
    "bilinear",
    "bottleneck",
    "cin",
    "co_attention",
    "concat",
    "cosine",
    "cross",
    "cross_attention",
    "distance",
    "divide",
    "dot",
    "dot_interaction",
    "einsum",
    "factorization",
    "film",
    "formula",
    "gated",
    "gather",
    "last_pool",
    "logical_and",
    "logical_or",
    "low_rank",
    "masked_fill",
    "matmul",
    "max_pool",
    "maximum",
    "mean_pool",
    "mfb",
    "minimum",
    "mlb",
    "mmoe",
    "moe",
    "multiply",
    "mutan",
    "outer",
    "pad_like",
    "pairwise_dot",
    "perceiver",
    "pick",
    "resize_like",
    "scatter_add",
    "sequence_mask",
    "squeeze_excite",
    "stack",
    "subtract",
    "tensor",
    "transformer",
    "weighted_sum",
    "where",
]
