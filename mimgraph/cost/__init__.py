"""Counts parameters, multiply-accumulates and memory; binds named sizes; finds reshapes that copy."""
