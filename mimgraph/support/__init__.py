"""Helps every part: files written whole, arguments checked, the terminal. Knows nothing of models."""
