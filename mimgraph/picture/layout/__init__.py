"""Place the boxes, edges and labels of a diagram; Graphviz does the layering."""
