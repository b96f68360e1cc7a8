"""The Python front end: handles that record calls, and what makes a declared graph of them."""

from mimgraph.builder.blocks.function import Family, block
from mimgraph.builder.blocks.part import GraphPart, block_parts
from mimgraph.builder.declare_graph import Output, Outputs, declare_graph, training_only
from mimgraph.builder.own_tensors import Buffer, Parameter, arange
from mimgraph.builder.record import Input, Tensor
from mimgraph.builder.sequential import Sequential
from mimgraph.builder.user_line import raise_faults

__all__ = [
    "Buffer",
    "Family",
    "GraphPart",
    "Input",
    "Output",
    "Outputs",
    "Parameter",
    "Sequential",
    "Tensor",
    "arange",
    "block",
    "block_parts",
    "declare_graph",
    "raise_faults",
    "training_only",
]
