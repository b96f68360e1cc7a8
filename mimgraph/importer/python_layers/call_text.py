"""Write the call of a module or function as Python over its tensors, which get names."""

from __future__ import annotations

import inspect
import keyword
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.python_layers.size_text import Axis, size_text
from mimgraph.importer.trace.records import Packed, Value
from mimgraph.ir.dim import Dim


class CallText:
    """The arguments of a call as texts.

    `sources` are its tensors by their names, which are the parameters of the forward that is written;
    `kept` are the objects among the arguments that no text gives, by the attribute that holds each.
    """

    def __init__(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], parameters: Sequence[str]
    ) -> None:
        self.sources: dict[str, Value] = {}
        self.kept: dict[str, Any] = {}
        named = [*_positions(parameters, len(args)), *kwargs]
        for name, given in zip(named, (*args, *kwargs.values()), strict=True):
            self._collect(name, given)
        self._axes = [
            Axis(f"{name}.shape[{axis}]", size)
            for name, value in self.sources.items()
            for axis, size in enumerate(value.sizes)
        ]
        self._names: Iterator[str] = iter(self.sources)
        texts = [self._text(n, given) for n, given in zip(named, args, strict=False)]
        texts += [f"{name}={self._text(name, given)}" for name, given in kwargs.items()]
        self.arguments = ", ".join(texts)

    def _collect(self, name: str, given: Any) -> None:
        """Name the tensors of an argument: `states_0` and `states_1` of a list `states`."""
        if isinstance(given, Value):
            self.sources[self._free(name)] = given
        elif isinstance(given, slice):
            self._collect(name, [given.start, given.stop, given.step])
        elif isinstance(given, Packed):
            self._collect(name, given._asdict())
        else:
            for key, part in _parts(given):
                self._collect(f"{name}_{key}", part)

    def _free(self, name: str) -> str:
        name = "input" if name == "self" else re.sub(r"\W", "_", name)
        while keyword.iskeyword(name) or name in self.sources or name in ("self", "torch", "nn"):
            name += "_"
        return name

    def _text(self, name: str, given: Any) -> str:
        """Return an argument as Python."""
        match given:
            case Value():
                return next(self._names)
            case Dim():
                return self._size(name, given)
            case Packed():
                parts = ", ".join(self._text(name, part) for part in given)
                return f"nn.utils.rnn.PackedSequence({parts})"
            case tuple():
                parts = ", ".join(self._text(f"{name}_{n}", part) for n, part in enumerate(given))
                return f"({parts},)" if len(given) == 1 else f"({parts})"
            case list():
                parts = ", ".join(self._text(f"{name}_{n}", part) for n, part in enumerate(given))
                return f"[{parts}]"
            case dict() if all(isinstance(key, str | int) for key in given):
                pairs = (f"{k!r}: {self._text(f'{name}_{k}', part)}" for k, part in given.items())
                return f"{{{', '.join(pairs)}}}"
            case slice():
                ends = (given.start, given.stop, given.step)
                return f"slice({', '.join(self._text(name, end) for end in ends)})"
            case torch.device() if self.sources:
                return f"{next(iter(self.sources))}.device"
            case float() if not math.isfinite(given):
                return f'float("{given}")'
            case None | bool() | int() | float() | str() | torch.dtype() | torch.memory_format():
                return repr(given)
        if given is ...:
            return "..."
        attribute = re.sub(r"\W", "_", f"given_{name}")
        self.kept[attribute] = given
        return f"self.{attribute}"

    def _size(self, name: str, size: Dim) -> str:
        text = size_text(size, self._axes)
        if text is None:
            raise CannotLift("size", f"{name} is {size}, which no tensor that is given here has")
        return text


def _parts(given: Any) -> list[tuple[Any, Any]]:
    """Return the parts of a tuple, list or dict with their places."""
    if isinstance(given, list | tuple):
        return [*enumerate(given)]
    return [*given.items()] if isinstance(given, dict) else []


def _positions(parameters: Sequence[str], count: int) -> list[str]:
    """Return names for positional arguments; of `*tensors` they are `tensors_0`, ..."""
    names = [name for name in parameters if not name.startswith("*")][:count]
    rest = next((name[1:] for name in parameters if name.startswith("*")), "x")
    return names + [f"{rest}_{number}" for number in range(count - len(names))]


def positional_parameters(function: Any) -> list[str]:
    """Return the parameters of a function that are given by position, the rest as `*tensors`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in kinds]
    rest = [f"*{one.name}" for one in parameters if one.kind is one.VAR_POSITIONAL]
    return names + rest
