"""Join and compare dotted paths of modules and tensors."""

from __future__ import annotations


def join(*path: str) -> str:
    """Return the parts of a dotted path that are not empty, joined."""
    return ".".join(filter(None, path))


def is_part(key: str, part: str) -> bool:
    """Return whether a tensor is a part of the model, or inside of it."""
    return key == part or key.startswith(f"{part}.")


def ends_with(path: str, end: str) -> bool:
    """Return whether a path is `end`, or ends with it after a dot."""
    return path == end or path.endswith(f".{end}")
