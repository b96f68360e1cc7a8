"""Lift MultiheadAttention and the transformers of torch.nn."""
