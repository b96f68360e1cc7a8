"""Serve editors, browsers and language models with what the rest computes of a spec."""
