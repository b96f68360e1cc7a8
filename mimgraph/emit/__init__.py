"""Turn a typed graph into the source of a module."""
