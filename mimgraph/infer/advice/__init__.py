"""Finds what to write instead: helps for faults, and warnings of what is never used."""
