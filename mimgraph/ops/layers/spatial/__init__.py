"""Define layers over the axes of a signal, image or volume: convolutions, pooling, padding, resizing."""
