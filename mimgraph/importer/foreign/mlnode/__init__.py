"""MLnode's JSON of a model, read into a spec without its package."""
