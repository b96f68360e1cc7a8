"""Give access to the layers by name: `layers.Linear(64)(x)`."""

# Imports have an underscore, so that the names without one are ops.
from mimgraph.ops import registry as _registry
from mimgraph.ops.attribute import attribute as _attribute
from mimgraph.ops.op import Op as _Op
from mimgraph.support.entry_point import entry_point as _entry_point

__all__ = sorted(_registry.names("layer"))  # noqa: PLE0605 - computed


@_entry_point
def __getattr__(name: str) -> _Op:
    """Return a built-in layer, or one that `mg.register` added."""
    return _attribute("layer", name)


def __dir__() -> list[str]:
    return sorted(_registry.names("layer"))
