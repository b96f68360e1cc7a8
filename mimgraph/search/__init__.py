"""Search spaces: the points of a space, and the proof that each of them can be."""
