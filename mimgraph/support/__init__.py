"""Utilities without knowledge of graphs: argument checks, file writing, terminal output."""
