"""Layers that stay Python: modules and functions that no spec expresses, registered as they are."""
