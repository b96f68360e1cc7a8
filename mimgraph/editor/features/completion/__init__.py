"""Complete the word at the cursor of a spec: keys, names of ops, options, values, sources and params."""
