"""Infer a typed graph from a declared one: structure first (networkx), then every shape."""
