"""Tells a graph as a table: shapes, parameters, memory and multiply-accumulates of every node."""
