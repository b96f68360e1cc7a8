"""Lift a trace to a draft: a body for each call of a module, a node for each layer and function."""
