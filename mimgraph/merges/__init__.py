"""The merges of the catalogue: a function each, in a file for each family, imported when it is used.

No file bears the name of a merge: once imported, it would stand in the merge's place here.
"""

# What is imported for use here has an underscore: the names without one are ops.
from mimgraph.catalogue import Op as _Op
from mimgraph.catalogue import find as _find
from mimgraph.catalogue import names as _names
from mimgraph.catalogue import place as _place

_FAMILIES = {
    "attentions": "attention",
    "bilinears": "bilinear low_rank mfb mlb mutan tensor",
    "crosses": "cin cross",
    "einsums": "einsum",
    "elementwise": (
        "add average divide logical_and logical_or maximum minimum multiply subtract where"
    ),
    "experts": "mmoe moe",
    "fill": "masked_fill pad_like",
    "formulas": "formula",
    "gates": "gated weighted_sum",
    "indexing": "gather pick scatter_add",
    "interaction": "dot_interaction factorization pairwise_dot",
    "join": "concat stack",
    "likeness": "cosine distance",
    "masks": "sequence_mask",
    "modulation": "film squeeze_excite",
    "pooling": "attention_pool last_pool max_pool mean_pool",
    "product": "dot matmul outer",
    "resize": "resize_like",
    "tokens": "bottleneck co_attention cross_attention perceiver transformer",
}

__all__ = sorted(_place("merge", __name__, _FAMILIES))  # noqa: PLE0605 - a list, of what the table names


def __getattr__(name: str) -> _Op:
    """A merge of the catalogue."""
    op = _find("merge", name)
    if op is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return op


def __dir__() -> list[str]:
    return sorted(_names("merge"))
