"""Merges that put tensors together or take parts by another: concat, stack, gather, pooling under a mask."""
