"""Reads text into a declared graph, and writes one back: located YAML and JSON, and the schema."""
