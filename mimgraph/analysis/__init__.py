"""From a declared graph to a typed one: structure first (networkx), then the shape pass."""

# both tell the catalogue what there is
from mimgraph import layers, merges

__all__ = ["layers", "merges"]
