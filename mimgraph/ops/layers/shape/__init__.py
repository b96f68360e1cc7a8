"""Define layers that reorder, reduce or cut axes."""
