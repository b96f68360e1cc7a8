"""Define the tensors of a model itself, their initial values, and Fill for missing inputs."""
