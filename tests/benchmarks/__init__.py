"""Benchmarks: each case compares a cost of mimgraph with another one, measured in turn."""
