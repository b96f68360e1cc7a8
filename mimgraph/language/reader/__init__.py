"""Read the declared graph from the tree of a spec; report the faults, and read the rest."""
