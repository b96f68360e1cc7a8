"""The layers by name, as Python uses them: `layers.Linear(64)(x)`."""

# What is imported for use here has an underscore: the names without one are ops.
from mimgraph.ops import registry as _registry

__all__ = sorted(_registry.names("layer"))  # noqa: PLE0605 - a list, of what the registry has


def __getattr__(name: str) -> _registry.Op:
    """Return a layer of the catalogue, or one that `mg.register` added."""
    op = _registry.find("layer", name)
    if op is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return op


def __dir__() -> list[str]:
    return sorted(_registry.names("layer"))
