"""Collects what a page tells of a node that is chosen."""
