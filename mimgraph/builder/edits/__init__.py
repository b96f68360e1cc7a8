"""Change a graph: replace, insert, rewire and remove nodes, and set their options, by path."""
