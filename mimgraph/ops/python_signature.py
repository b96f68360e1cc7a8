"""The signatures and docstrings of layers and merges in Python, for `inspect.signature`, `help` and the
stubs."""

from __future__ import annotations

import textwrap
import types
from collections.abc import Iterable, Sequence
from inspect import Parameter, Signature
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mimgraph.ir.declared_graph import BESIDE_FROM
from mimgraph.ir.dim import Dim
from mimgraph.ir.option_types import Plain
from mimgraph.ops.op import Op
from mimgraph.ops.python_text import python_example
from mimgraph.ops.signature import REQUIRED, OptionSpec

_POSITIONAL, _NAMED = Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY


class Annotation(str):
    """The text of an annotation, which a signature shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def signature(op: Op) -> Signature:
    """Return the parameters of a layer, which takes options, or of a merge on its sources."""
    return with_options(op) if op.kind == "layer" else on_sources(op)


def with_options(op: Op) -> Signature:
    """Return the parameters of a call that gives options only; sources follow in a second call."""
    options = [_option(option, option.name in _leading(op)) for option in op.options.values()]
    options.sort(key=lambda parameter: parameter.kind)
    beside = [_parameter(key, "Tensor | None", None)] if (key := BESIDE_FROM.get(op.name)) else []
    take = _parameter("take", "str | int | None", None)
    result = "LayerCall" if op.kind == "layer" else "MergeCall"
    return _signature([*options, *beside, *_words(op), take, *_numbers(op)], result)


def _leading(op: Op) -> Sequence[str]:
    """Return the options that may stand first; those from a required one behind an optional one on are
    given by name."""
    if op.kind == "merge":
        return op.by_position[: op.inputs.kind == "named"]
    is_optional = [op.defaults[name] is not REQUIRED for name in op.python_positional]
    ends = (index for index, (one, after) in enumerate(pairwise(is_optional), 1) if one > after)
    return op.python_positional[: next(ends, None)]


def on_sources(op: Op) -> Signature:
    """Return the parameters of a merge that is called on its sources: these, then its options."""
    options = [_option(option) for option in op.options.values()]
    words = [*options, *_words(op), _parameter("name", "str | None", None)]
    if op.inputs.kind == "many":
        sources = "Tensor | Iterable[Tensor]"
        first = _parameter("source", sources, kind=Parameter.POSITIONAL_ONLY)
        rest = _parameter("sources", sources, kind=Parameter.VAR_POSITIONAL)
        return _signature([first, rest, *words], "Tensor")
    if op.inputs.kind == "named":
        text, *words = words
        by_name = _parameter("sources", "Mapping[str, Tensor]", {}, _POSITIONAL)
        named = _parameter("named", "Tensor | Size | float | None", kind=Parameter.VAR_KEYWORD)
        return _signature([text.replace(kind=_POSITIONAL), by_name, *words, named], "Tensor")
    return _signature([*(_source(op, name) for name in op.inputs.names), *words], "Tensor")


def _source(op: Op, name: str) -> Parameter:
    if name in op.inputs.optional:
        return _parameter(name, "Tensor | None", None, _POSITIONAL)
    return _parameter(name, "Tensor", kind=_POSITIONAL)


def _words(op: Op) -> list[Parameter]:
    """Return the words that every node may have."""
    kinds = {
        "over": "int | None",
        "freeze": "bool | str",
        "lr": "float | str | None",
        "weight_decay": "float | None",
        "lora": "Mapping[str, object] | None",
    }
    words = [
        _parameter(name, kind, False if name == "freeze" else None)
        for name, kind in kinds.items()
        if name not in op.options
    ]
    if "activation" in op.options:
        return words
    return [_parameter("activation", "Activation | None", None), *words]


def _numbers(op: Op) -> list[Parameter]:
    """Return the parameter for numbers in a formula."""
    if op.inputs.kind != "named":
        return []
    return [_parameter("numbers", "Size | float", kind=Parameter.VAR_KEYWORD)]


def _option(option: OptionSpec, by_position: bool = False) -> Parameter:
    text, default = annotation(option.annotation), option.default
    if option.inferred and default is REQUIRED:
        default = None
    if default is None and not {"None", "Any"} & {*text.split(" | ")}:
        text = f"{text} | None"
    return _parameter(option.name, text, default, _POSITIONAL if by_position else _NAMED)


def _parameter(
    name: str, annotation: str, default: object = REQUIRED, kind: Any = _NAMED
) -> Parameter:
    return Parameter(name, kind, default=default, annotation=Annotation(annotation))


def _signature(parameters: Iterable[Parameter], result: str) -> Signature:
    return Signature([*parameters], return_annotation=Annotation(result))


def annotation(given: Any) -> str:
    """Return an annotation as users may rely on it: without bounds, a sequence of any kind for a
    tuple."""
    origin, arguments = get_origin(given), get_args(given)
    if origin is Annotated:
        return annotation(arguments[0])
    if origin is Literal:
        return f"Literal[{', '.join(repr(one).replace(chr(39), chr(34)) for one in arguments)}]"
    if origin in (Union, types.UnionType):
        return " | ".join(_alternatives(arguments))
    if origin is tuple:
        return f"Sequence[{annotation(arguments[0])}]"
    if origin is dict:
        return f"Mapping[str, {annotation(arguments[1])}]"
    if given is type(None):
        return "None"
    return "Any" if given is Plain else str(getattr(given, "__name__", "Any"))


def _alternatives(arguments: tuple[Any, ...]) -> list[str]:
    """Return the texts of a union, without types that another one includes; None comes last."""
    texts = [annotation(one) for one in arguments if one is not Dim]
    if Dim in arguments:  # a size is a number or a `Dim`
        texts.insert(0, "Size")
    if "float" in texts or "Size" in texts:
        texts = [text for text in texts if text not in ("int", "Literal[-1]")]
    return [*dict.fromkeys(sorted(texts, key="None".__eq__))]


def docstring(op: Op) -> str:
    """Return the documentation of an op, with its example as Python code."""
    inferred = [option.name for option in op.options.values() if option.inferred]
    parts = [op.doc, _sources(op)]
    parts += [f"Inferred from the sources: {', '.join(inferred)}."] if inferred else []
    inputs, node = op.example
    if node:
        code = textwrap.indent("\n".join(python_example(inputs, node)), "    ")
        parts.append(f"Example:\n{code}")
    return "\n\n".join(filter(None, parts))


def _sources(op: Op) -> str:
    """Return the names of the sources of a layer that has several; a merge has them as parameters."""
    names = op.inputs.names
    if op.kind == "merge" or len(names) < 2:
        return ""
    marked = (f"{name} (optional)" if name in op.inputs.optional else name for name in names)
    return f"Sources: {', '.join(marked)}."
