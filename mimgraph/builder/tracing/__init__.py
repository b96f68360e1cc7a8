"""Runs of block functions: numbers that record how Python code uses them."""
