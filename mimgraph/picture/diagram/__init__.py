"""Decides what is drawn of a graph: boxes, clusters and arrows, folded and grouped."""
