"""Copy weights between modules whose names differ: tensors are paired by their use in the forward."""
