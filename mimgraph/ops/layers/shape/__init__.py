"""Layers that reorder, reduce or cut axes."""
