"""The Python front end: handles that record calls, and what makes a declared graph of them."""

from mimgraph.builder.assemble import declare_graph
from mimgraph.builder.blocks import block
from mimgraph.builder.place import raise_faults
from mimgraph.builder.record import Input, Tensor
from mimgraph.builder.sequential import Sequential
from mimgraph.builder.tensors import Buffer, Parameter, arange

__all__ = [
    "Buffer",
    "Input",
    "Parameter",
    "Sequential",
    "Tensor",
    "arange",
    "block",
    "declare_graph",
    "raise_faults",
]
