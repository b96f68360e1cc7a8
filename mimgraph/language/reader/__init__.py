"""Read the declared graph from the tree of a spec; faults are reported, and the rest is still read."""
