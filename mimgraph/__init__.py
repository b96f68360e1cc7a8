"""Declare a model of several inputs, check its shapes, and compile it to a PyTorch module."""

# Imports have an underscore, so that `__all__` has all names without one.
import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from mimgraph import layers, merges
    from mimgraph.builder.block_function import block
    from mimgraph.builder.declare_graph import Output, training_only
    from mimgraph.builder.inputs import Buffer, Input, Parameter, arange, ones, random, zeros
    from mimgraph.builder.sequential import Sequential
    from mimgraph.builder.tensor import Tensor
    from mimgraph.carried import carry
    from mimgraph.diagnostics import SpecError
    from mimgraph.graph import Graph, Model, diff, from_dict, load, load_model, loads, positional
    from mimgraph.imported import from_module
    from mimgraph.language.edit.spec_editor import edit
    from mimgraph.ops.custom.registration import register
    from mimgraph.trials.sample import sample

__version__ = "0.2.0"  # the only place: pyproject.toml, --version and the manual read it

__all__ = [
    "Buffer",
    "Graph",
    "Input",
    "Model",
    "Output",
    "Parameter",
    "Sequential",
    "SpecError",
    "Tensor",
    "arange",
    "block",
    "carry",
    "diff",
    "edit",
    "from_dict",
    "from_module",
    "layers",
    "load",
    "load_model",
    "loads",
    "merges",
    "ones",
    "positional",
    "random",
    "register",
    "sample",
    "training_only",
    "zeros",
]

# a home is imported when one of its names is first used, so that a command starts fast
_HOMES = {
    "builder.block_function": "block",
    "builder.declare_graph": "Output training_only",
    "builder.inputs": "Buffer Input Parameter arange ones random zeros",
    "builder.sequential": "Sequential",
    "builder.tensor": "Tensor",
    "carried": "carry",
    "diagnostics": "SpecError",
    "graph": "Graph Model diff from_dict load load_model loads positional",
    "imported": "from_module",
    "language.edit.spec_editor": "edit",
    "ops.custom.registration": "register",
    "trials.sample": "sample",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


if not _typing.TYPE_CHECKING:  # to a type checker it would mean that every name exists

    def __getattr__(name: str) -> object:
        """Return a public name; its home is imported when it is first used."""
        if name in ("layers", "merges"):
            return _import_module(f"mimgraph.{name}")
        try:
            if name not in _HOME:
                message = f"module {__name__!r} has no attribute {name!r}"
                hint = "" if name.startswith("_") else _hint(name)
                raise AttributeError(f"{message}{hint}")
        except AttributeError as error:
            error.__traceback__ = None  # the traceback ends at the user's line
            raise
        found = getattr(_import_module(f"mimgraph.{_HOME[name]}"), name)
        globals()[name] = found
        return found


def _hint(name: str) -> str:
    """Return what was probably meant by a name that is not public; "" if none is similar."""
    from mimgraph.diagnostics.nearest import nearest
    from mimgraph.ops.spelling import known_op

    found = known_op(name) or nearest(name, __all__)
    return f": did you mean {found}?" if found else ""


def __dir__() -> list[str]:
    return sorted(__all__)
