"""The merges by name, as Python uses them: `merges.concat(a, b)`."""

# What is imported for use here has an underscore: the names without one are ops.
from mimgraph.ops import registry as _registry

__all__ = sorted(_registry.names("merge"))  # noqa: PLE0605 - a list, of what the registry has


def __getattr__(name: str) -> _registry.Op:
    """Return a merge of the catalogue."""
    op = _registry.find("merge", name)
    if op is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return op


def __dir__() -> list[str]:
    return sorted(_registry.names("merge"))
