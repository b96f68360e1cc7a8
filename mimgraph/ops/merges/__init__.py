"""List which file defines each merge, so that a file is imported when one of its merges is first used.

A check of a small spec uses few of them, and importing all takes as long as the check.
"""

FILES = {
    "fusion.attention": "attention",
    "fusion.bilinear": "bilinear low_rank mfb mlb mutan tensor",
    "fusion.cross": "cin cross",
    "arithmetic.einsum": "einsum",
    "arithmetic.elementwise": (
        "add average divide logical_and logical_or maximum minimum multiply subtract where"
    ),
    "fusion.experts": "mmoe moe",
    "join.fill": "masked_fill pad_like",
    "arithmetic.formula": "formula",
    "fusion.gates": "gated weighted_sum",
    "join.indexing": "gather pick scatter_add take",
    "fusion.interaction": "dot_interaction factorization pairwise_dot",
    "join.join": "concat stack",
    "arithmetic.similarity": "cosine distance",
    "join.masks": "sequence_mask",
    "fusion.modulation": "film squeeze_excite",
    "join.pooling": "attention_pool last_pool max_pool mean_pool",
    "arithmetic.product": "dot matmul outer",
    "join.resize": "resize_like",
    "fusion.tokens": "bottleneck co_attention cross_attention perceiver transformer",
}
