"""Change a graph: replace, insert, rewire and remove nodes, and set their options, by path."""

from mimgraph.builder.edits.edit import EditedGraph
from mimgraph.builder.edits.insert import insert
from mimgraph.builder.edits.map_nodes import Answer, map_nodes
from mimgraph.builder.edits.new_layers import NewLayer
from mimgraph.builder.edits.options import with_options
from mimgraph.builder.edits.remove import remove
from mimgraph.builder.edits.rename import rename
from mimgraph.builder.edits.replace import replace_node
from mimgraph.builder.edits.rewire import rewire
from mimgraph.builder.edits.upto import upto

__all__ = [
    "Answer",
    "EditedGraph",
    "NewLayer",
    "insert",
    "map_nodes",
    "remove",
    "rename",
    "replace_node",
    "rewire",
    "upto",
    "with_options",
]
