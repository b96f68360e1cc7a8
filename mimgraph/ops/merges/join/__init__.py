"""Define merges that join tensors or take parts by an index or mask: concat, stack, gather, pooling."""
