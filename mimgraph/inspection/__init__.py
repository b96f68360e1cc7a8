"""What users see of a graph in Python: its nodes, inputs, outputs and edges as small frozen records."""
