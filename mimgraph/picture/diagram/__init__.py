"""Turn a graph into the boxes, clusters and edges of a picture, folded and grouped."""
