"""Says what an op is, and where ops are looked up; defines every layer and merge."""
