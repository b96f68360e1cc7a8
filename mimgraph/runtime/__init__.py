"""Makes a module of emitted source and runs it: loading, input checks, error notes, export, weights."""
