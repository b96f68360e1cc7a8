"""Define the type of an op, the registry of ops, and every layer and merge."""
