"""Places boxes, arrows and labels; Graphviz does the layers."""
