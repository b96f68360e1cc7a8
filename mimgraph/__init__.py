"""Declare a model of several inputs, check its shapes, and get the PyTorch module it stands for."""

from mimgraph import layers, merges
from mimgraph.builder import (
    Buffer,
    Input,
    Output,
    Parameter,
    Sequential,
    Tensor,
    arange,
    block,
    training_only,
)
from mimgraph.diagnostics import SpecError
from mimgraph.graph import Graph, diff, load, load_model, loads
from mimgraph.register import register

__all__ = [
    "Buffer",
    "Graph",
    "Input",
    "Output",
    "Parameter",
    "Sequential",
    "SpecError",
    "Tensor",
    "arange",
    "block",
    "diff",
    "layers",
    "load",
    "load_model",
    "loads",
    "merges",
    "register",
    "training_only",
]
