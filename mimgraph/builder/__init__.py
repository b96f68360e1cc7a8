"""The Python front end: handles that record calls, and what makes a declared graph of them."""

from mimgraph.builder.assemble import declare_graph
from mimgraph.builder.blocks import block
from mimgraph.builder.place import raise_faults
from mimgraph.builder.record import Input, Tensor
from mimgraph.builder.sequential import Sequential

__all__ = ["Input", "Sequential", "Tensor", "block", "declare_graph", "raise_faults"]
