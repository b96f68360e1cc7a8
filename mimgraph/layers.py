"""Give access to the layers by name: `layers.Linear(64)(x)`."""

# Imports have an underscore, so that the names without one are ops.
from mimgraph.ops import registry as _registry
from mimgraph.ops.op import Op as _Op
from mimgraph.ops.registry import LIBRARIES as _LIBRARIES
from mimgraph.ops.registry import Library as _Library
from mimgraph.ops.spelling import attribute as _attribute
from mimgraph.support.entry_point import entry_point as _entry_point

__all__ = sorted(_registry.names("layer"))  # noqa: PLE0605 - computed


@_entry_point
def __getattr__(name: str) -> _Op | _Library:
    """Return a built-in layer, one that `mg.register` added, or the models of a library."""
    return _Library(name) if name in _LIBRARIES else _attribute("layer", name)


def __dir__() -> list[str]:
    return sorted(_registry.names("layer"))
