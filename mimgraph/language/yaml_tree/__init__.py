"""Turn the text of a spec, YAML or JSON, into a tree whose parts have spans."""
