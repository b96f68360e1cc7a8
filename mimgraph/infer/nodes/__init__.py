"""Type the nodes of one body: layers, merges, chains, blocks, `each` and `share`."""
