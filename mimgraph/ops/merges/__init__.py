"""List which file defines each merge, so that a file is imported when one of its merges is first used.

A check of a small spec uses few of them, and importing all takes as long as the check.
"""

FILES = (  # in the order in which the schema lists the ops
    ("attention", "attention"),
    ("interaction", "bilinear low_rank mfb mlb mutan tensor cin cross"),
    ("product", "einsum"),
    (
        "elementwise",
        ("add average divide logical_and logical_or maximum minimum multiply subtract where"),
    ),
    ("gates", "mmoe moe"),
    ("join", "masked_fill pad_like"),
    ("formula", "formula"),
    ("gates", "gated weighted_sum"),
    ("join", "gather pick scatter_add take"),
    ("interaction", "dot_interaction factorization pairwise_dot"),
    ("join", "concat stack"),
    ("elementwise", "cosine distance"),
    ("pooling", "sequence_mask"),
    ("gates", "film squeeze_excite"),
    ("pooling", "attention_pool last_pool max_pool mean_pool"),
    ("product", "dot matmul outer"),
    ("join", "resize_like"),
    ("attention", "bottleneck co_attention cross_attention perceiver transformer"),
)
