"""From a declared graph to a typed one: structure first (networkx), then the shape pass."""
