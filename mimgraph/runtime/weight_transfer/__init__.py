"""Copies weights between modules whose names differ: what each part computes decides the pairs."""
