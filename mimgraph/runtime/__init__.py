"""Make a module of emitted source and run it: loading, input checks, error notes, export, weights."""
