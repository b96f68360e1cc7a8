"""Read a spec that is being typed: as a whole, or by its entries where it is no YAML."""
