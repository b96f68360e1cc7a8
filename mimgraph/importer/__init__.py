"""Turn an existing `nn.Module` into a declared graph."""
