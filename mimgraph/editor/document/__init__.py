"""Read a spec that is being typed: by its entries, so that most of it is read once, and with faults in some."""
