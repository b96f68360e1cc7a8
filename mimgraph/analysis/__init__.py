"""From a declared graph to a typed one: structure first (networkx), then the shape pass."""

# the catalogue is filled by importing what is in it
from mimgraph import layers, merges

__all__ = ["layers", "merges"]
