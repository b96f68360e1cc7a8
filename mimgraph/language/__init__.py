"""Read YAML or JSON into a declared graph, write it as YAML, and describe it by a JSON Schema."""
