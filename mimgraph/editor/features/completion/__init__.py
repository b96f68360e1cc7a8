"""Complete what is being typed in a spec: keys, names of ops, options, values, sources and params."""
