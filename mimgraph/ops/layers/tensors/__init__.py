"""Tensors of the model itself, how they start, and what stands in for a missing input."""
