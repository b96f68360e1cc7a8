"""Read text into a declared graph and write a declared graph as text: YAML and JSON, and the JSON
Schema."""
