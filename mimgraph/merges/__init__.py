"""The merges of the catalogue: a function each, in a file for each family."""

from mimgraph.merges.attention import attention
from mimgraph.merges.elementwise import add, average, maximum, multiply, subtract
from mimgraph.merges.formula import formula
from mimgraph.merges.gates import weighted_sum
from mimgraph.merges.join import concat, stack
from mimgraph.merges.product import dot, matmul

__all__ = [
    "add",
    "attention",
    "average",
    "concat",
    "dot",
    "formula",
    "matmul",
    "maximum",
    "multiply",
    "stack",
    "subtract",
    "weighted_sum",
]
