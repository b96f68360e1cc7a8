"""Decides what is drawn of a graph: boxes, clusters and edges, folded and grouped."""
