"""Define layers that work on each value or vector alone: activations, norms, Linear, dropout."""
