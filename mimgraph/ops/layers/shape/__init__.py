"""Defines layers that reorder, reduce or cut axes."""
