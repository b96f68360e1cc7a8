"""The Python front end: handles that record calls, and what makes a declared graph of them."""

from mimgraph.builder.assemble import Output, Outputs, declare_graph, training_only
from mimgraph.builder.blocks import Family, block
from mimgraph.builder.parts import GraphPart, block_parts
from mimgraph.builder.place import raise_faults
from mimgraph.builder.record import Input, Tensor
from mimgraph.builder.sequential import Sequential
from mimgraph.builder.tensors import Buffer, Parameter, arange

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
