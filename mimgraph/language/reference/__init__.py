"""Describe layers, merges, options and the keys of a spec, for `mimgraph layers`."""
