"""The Python front end: handles record the calls of layers, from which a declared graph is made."""

from mimgraph.builder.blocks.call import BlockCall, Family, Param
from mimgraph.builder.blocks.function import block
from mimgraph.builder.blocks.graph_layer import GraphLayer
from mimgraph.builder.blocks.spec_blocks import spec_blocks
from mimgraph.builder.constants import arange, ones, random, zeros
from mimgraph.builder.declare_graph import declare_graph, declare_model
from mimgraph.builder.handles.graph_records import GraphHandles
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.builder.inputs import Input, Inputs
from mimgraph.builder.limits import GivenLimits
from mimgraph.builder.outputs import Output, Outputs, training_only
from mimgraph.builder.own_tensors import Buffer, Parameter
from mimgraph.builder.sequential import Sequential
from mimgraph.builder.user_line import raise_faults

__all__ = [
    "BlockCall",
    "Buffer",
    "Family",
    "GivenLimits",
    "GraphHandles",
    "GraphLayer",
    "Input",
    "Inputs",
    "Output",
    "Outputs",
    "Param",
    "Parameter",
    "Sequential",
    "Tensor",
    "arange",
    "block",
    "declare_graph",
    "declare_model",
    "ones",
    "raise_faults",
    "random",
    "spec_blocks",
    "training_only",
    "zeros",
]
