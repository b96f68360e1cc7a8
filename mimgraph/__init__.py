"""Declare a model of several inputs, check its shapes, and get the PyTorch module it stands for."""

from mimgraph import layers, merges
from mimgraph.builder import Input, Sequential, Tensor, block
from mimgraph.diagnostics import SpecError
from mimgraph.graph import Graph, load, load_model, loads

__all__ = [
    "Graph",
    "Input",
    "Sequential",
    "SpecError",
    "Tensor",
    "block",
    "layers",
    "load",
    "load_model",
    "loads",
    "merges",
]
