"""Prove that a compiled spec and the module that it was imported from compute the same."""
