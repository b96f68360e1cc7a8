"""Define an op that Python calls, which `help`, `inspect.signature` and notebooks describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mimgraph.ir.declared_graph import BESIDE_FROM
from mimgraph.ops.op import Op
from mimgraph.support.objects import Completed, LikeFunction


class _Described:
    """An attribute of an op that is computed when it is read; the class has its own value."""

    def __init__(self, compute: Callable[[Op], object], of_class: object = None) -> None:
        self.compute = compute
        self.of_class = of_class

    def __get__(self, op: Op | None, owner: object = None) -> object:
        return self.of_class if op is None else self.compute(op)


def _signature(op: Op) -> object:
    from mimgraph.ops.python_signature import signature

    return signature(op)


def _docstring(op: Op) -> object:
    from mimgraph.ops.python_signature import docstring

    return docstring(op)


class PythonOp(Completed, LikeFunction, Op):
    """An op that Python can call; `help` and `inspect.signature` show it as they show a function."""

    _completed = ("doc", "example", "family", "inputs", "name", "options", "ports", "summary")
    __signature__ = _Described(_signature)

    def __init_subclass__(cls) -> None:
        cls.__doc__ = _Described(_docstring, cls.__doc__)  # type: ignore[assignment]

    def without_nulls(self, keywords: Mapping[str, object]) -> dict[str, object]:
        """Return the keywords without those that are None, the default that signatures show for options
        that are inferred."""
        if not keywords:
            return {}
        optional = (*self.inferred, BESIDE_FROM.get(self.name))
        return {k: v for k, v in keywords.items() if v is not None or k not in optional}
