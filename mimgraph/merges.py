"""Give access to the merges by name: `merges.concat(a, b)`."""

# Imports have an underscore, so that the names without one are ops.
from mimgraph.ops import registry as _registry
from mimgraph.ops.op import Op as _Op
from mimgraph.ops.spelling import attribute as _attribute
from mimgraph.support.entry_point import entry_point as _entry_point

__all__ = sorted(_registry.names("merge"))  # noqa: PLE0605 - computed


@_entry_point
def __getattr__(name: str) -> _Op:
    """Return a merge."""
    return _attribute("merge", name)


def __dir__() -> list[str]:
    return sorted(_registry.names("merge"))
