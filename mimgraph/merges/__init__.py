"""The merges of the catalogue: a function each, in a file for each family."""

from mimgraph.merges.attention import attention
from mimgraph.merges.einsum import einsum
from mimgraph.merges.elementwise import (
    add,
    average,
    divide,
    maximum,
    minimum,
    multiply,
    subtract,
    where,
)
from mimgraph.merges.fill import masked_fill, pad_like
from mimgraph.merges.formula import formula
from mimgraph.merges.gates import weighted_sum
from mimgraph.merges.indexing import gather, pick, scatter_add
from mimgraph.merges.interaction import dot_interaction, factorization, pairwise_dot
from mimgraph.merges.join import concat, stack
from mimgraph.merges.likeness import cosine, distance
from mimgraph.merges.product import dot, matmul, outer
from mimgraph.merges.resize import resize_like

__all__ = [
    "add",
    "attention",
    "average",
    "concat",
    "cosine",
    "distance",
    "divide",
    "dot",
    "dot_interaction",
    "einsum",
    "factorization",
    "formula",
    "gather",
    "masked_fill",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "outer",
    "pad_like",
    "pairwise_dot",
    "pick",
    "resize_like",
    "scatter_add",
    "stack",
    "subtract",
    "weighted_sum",
    "where",
]
