"""Show an op and a node as Python: the signature and docstring of an op, `layers.Linear(10)(x)` for a node of a spec.

The docstrings of ops have their examples in YAML, from which `help(layers.Linear)` shows Python.
"""

from __future__ import annotations

import json
import math
import textwrap
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Parameter, Signature
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mimgraph.diagnostics.text import Part, parts_of
from mimgraph.ir.declared_graph import BESIDE_FROM
from mimgraph.ir.dim import Dim
from mimgraph.ir.option_types import Plain
from mimgraph.ops import registry
from mimgraph.ops.op import REQUIRED, Op, OptionSpec

Node = Mapping[str, Any]
Writer = Callable[[Any, Node, Any, str], str]  # of the op, its options, its sources and the name

_SOURCES = ("from", "each", "with")  # what the call on sources takes
_BY_NAME = ("dim", "dims", "dim0", "min", "in_fmt")  # clearer with their names


def python_example(inputs: tuple[str, ...], node: str) -> list[str]:
    """Return the lines of Python that declare the inputs of an example and call its op."""
    declared = parsed(f"{{{', '.join(inputs)}}}")
    lines = [f"{name} = {python_input(name, given)}" for name, given in declared.items()]
    return [*lines, f"y = {python_call(parsed(node), 'y')}"]


def parsed(text: str) -> Any:
    """Return the data of a line of YAML without anchors; raise a `ValueError` for another text."""
    import yaml  # only who asks for help needs it

    if "&" in text:  # an alias could repeat what it names without end
        raise ValueError("an anchor")
    try:
        return yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


_NO_CODE = (ValueError, TypeError, AttributeError, RecursionError)


def in_python(text: str) -> str:
    """Return a text of a diagnostic with its code as Python: `layers.Flatten()(x)` for `{layer: Flatten,
    from: x}`."""
    parts = parts_of(text)
    return "".join(part if isinstance(part, str) else _part(part) for part in parts)


def _part(part: Part) -> str:
    """Return code in a text as Python, or unchanged if it is not YAML."""
    try:
        return part.python or _python(parsed(part.flow), part)
    except _NO_CODE:
        return part.yaml


def _python(data: Any, part: Part) -> str:
    """Return the data of a value, of a node or of entries as Python."""
    match data:
        case dict() if any(map(is_node, data)):
            return python_call(data)
        case dict() if _is_item(data):
            return python_item(data)
        case dict() if part.flow is not part.yaml:
            return _joined(*(_entry(*one) for one in data.items()))
        case dict() if "shape" in data:
            return python_input("...", data)
        case str() if data.startswith("$"):
            return data.removeprefix("$").removeprefix("(").removesuffix(")")
        case None | bool() | float() | list() | dict():
            return python_literal(data)
    return part.yaml


def _entry(key: str, value: Any) -> str:
    """Return an entry of a node as Python."""
    match key:
        case "from":
            return python_sources(value)
        case "outputs":
            return f"return {handles_by_name(value)}"
        case "carry":
            return f"carry={handles_by_name(value)}"
        case "with":
            return python_argument("with_", value)
    return python_argument(key, value)


def _is_item(value: Mapping[str, Any]) -> bool:
    """Return whether a mapping is an item of a chain: a layer, or a block whose port is taken."""
    if len(value) != 1:
        return False
    ((name, options),) = value.items()
    is_layer = registry.find("layer", name) is not None
    return is_layer or (isinstance(options, dict) and "take" in options)


def python_call(node: Node, name: str = "...") -> str:
    """Return the call that records a node; `name` is the name of a parameter or buffer.

    A node without `from`, such as an item of a `seq`, is written without the call on its sources.
    """
    kind = next(filter(is_node, node))
    options = {key: value for key, value in node.items() if key not in (kind, *_SOURCES)}
    written = _WRITERS[kind](node[kind], options, node.get("from", ()), name)
    return written if kind == "merge" else written + _applied(node)


def is_node(key: object) -> bool:
    """Return whether a mapping with this key is a node."""
    return key in _WRITERS


def python_input(name: str, given: Any) -> str:
    """Return the declaration of an input."""
    words = dict(given) if isinstance(given, dict) else {"shape": given}
    shape = words.pop("shape", None)
    if shape == [] and "vocab" in words:
        shape = None  # the default
    return f"mg.Input({_joined(python_literal(name), _shape(shape), _options('', words))})"


def _layer(name: str, options: Node, *_: Any) -> str:
    op = registry.find("layer", name)
    others = "..." if not options and op is not None and op.required else ""
    return f"layers.{name}({_options(name, options) or others})"


def _block(name: str, options: Node, *_: Any) -> str:
    return f"{name}({_options('', options)})"


def _sequential(items: list[Any], options: Node, *_: Any) -> str:
    return f"mg.Sequential({_joined(*map(python_item, items), _options('', options))})"


def _merge(name: str, options: Node, sources: Any, _: str) -> str:
    """Return a call of a merge, whose sources come first, except for the text of a formula."""
    op = registry.find("merge", name)
    by_name = op is not None and op.inputs.kind == "named"
    written = _options(name if by_name else "", options)
    listed = python_sources(sources)
    return f"merges.{name}({_joined(*((written, listed) if by_name else (listed, written)))})"


def _tensor(kind: str) -> Writer:
    """Return a writer of parameters or buffers."""
    return lambda shape, options, _, name: (
        f"mg.{kind}({_joined(python_literal(name), _shape(shape), _options('', options))})"
    )


def _filled(kind: str) -> Writer:
    """Return a writer of zeros or ones of a shape, or like a source."""

    def written(shape: Any, options: Node, *_: Any) -> str:
        if shape is True:  # that of the source
            shape, options = None, {"like": "...", **options}
        return f"mg.{kind}({_joined(_shape(shape), _options('', options))})"

    return written


def _arange(end: Any, options: Node, *_: Any) -> str:
    return f"mg.arange({_joined(_source(end), _options('', options))})"


def _random(distribution: str, options: Node, *_: Any) -> str:
    return f"mg.random({_joined(python_literal(distribution), _options('', options))})"


def _scan(block: str, options: Node, *_: Any) -> str:
    """Return the scan of a block; what it carries are sources."""
    carried = f"carry={handles_by_name(options.get('carry', {}))}"
    rest = {key: value for key, value in options.items() if key not in ("over", "carry")}
    return f"{block}({_options('', rest)}).scan({_joined(_source(options.get('over', '...')), carried)})"


def handles_by_name(sources: Node) -> str:
    """Return a dict of sources by name: `{"h": h0}`."""
    return f"{{{', '.join(f'{python_literal(name)}: {_source(one)}' for name, one in sources.items())}}}"


_WRITERS: dict[str, Writer] = {
    "layer": _layer,
    "merge": _merge,
    "block": _block,
    "scan": _scan,
    "seq": _sequential,
    "share": lambda target, *_: str(target),
    "parameter": _tensor("Parameter"),
    "buffer": _tensor("Buffer"),
    "zeros": _filled("zeros"),
    "ones": _filled("ones"),
    "arange": _arange,
    "random": _random,
}


def python_item(item: Any) -> str:
    """Return an item of a chain, or an activation: `ReLU`, `{Linear: 64}`, `{GELU: {...}}`."""
    if not isinstance(item, dict):
        item = {item: {}}
    (name, given), *more = item.items()
    op = registry.find("layer", name)
    if not isinstance(given, dict):
        given = {op.lone_option if op and op.lone_option else "": given}
    call = f"({_options(name if op else '', {**given, **dict(more)})})"
    return f"layers.{name}{call}" if op else f"{name}{call}"


def _applied(node: Node) -> str:
    """Return the call on the sources of a node: `(x)`, `.each(a, b)`, nothing without sources."""
    if "each" in node:
        own = f"with_={python_literal(node['with'])}" if "with" in node else ""
        return f".each({_joined(python_sources(node['each']), own)})"
    return f"({python_sources(node['from'])})" if "from" in node else ""


def python_sources(given: Any) -> str:
    """Return sources as arguments: `x`, `a, b` or `query=a, key=b`."""
    if isinstance(given, dict):
        return _joined(*(n if n == "..." else f"{n}={_source(one)}" for n, one in given.items()))
    return _joined(*map(_source, given if isinstance(given, list | tuple) else [given]))


def _source(given: Any) -> str:
    """Return the handle of a source: `lstm["last"]` for `lstm.last`."""
    if not isinstance(given, str) or given == "...":
        return python_literal(given)
    name, _, port = given.partition(".")
    if port == "*":
        return f"*{name}"
    return f"{name}[{python_literal(port)}]" if port else name


def _options(layer: str, options: Node) -> str:
    """Return options as arguments; the first option of a layer may be given by position."""
    op = registry.find("layer", layer) or registry.find("merge", layer)
    first = next(iter(op.python_positional), "") if op is not None else ""
    if first in _BY_NAME or options.get(first) == "...":  # which says what is meant
        first = ""
    lone = [python_literal(options[first])] if first and first in options else []
    lone += (
        [python_literal(options[""])] if "" in options else []
    )  # of a block, whose params are unknown
    named = {key: value for key, value in options.items() if key not in (first, "")}
    return _joined(*lone, *(python_argument(key, value) for key, value in named.items()))


def python_argument(key: str, value: Any) -> str:
    """Return an option as a keyword argument; the key `...` stands for any others."""
    if key == "...":
        return key
    if key == "activation" and isinstance(value, dict):
        return f"activation={python_item(value)}"
    if key == "like":  # of all options, the only source
        return f"like={_source(value)}"
    return f"{key}={python_literal(value)}"


def _shape(given: Any) -> str:
    """Return a shape as a tuple; nothing for None."""
    if not isinstance(given, list):
        return "" if given is None else python_literal(given)
    return f"({', '.join(map(python_literal, given))}{',' if len(given) == 1 else ''})"


def python_literal(value: Any) -> str:
    """Return a value as Python; a param, `$width`, is a variable, and `...` stands for any value."""
    if isinstance(value, str):
        if value.startswith("$"):
            return value[1:]
        return value if value == "..." else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(python_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{python_literal(k)}: {python_literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)


def _joined(*arguments: str) -> str:
    return ", ".join(filter(None, arguments))


# The signatures and docstrings of layers and merges in Python, for `inspect.signature`, `help`
# and the stubs.


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
    return _signature(
        [*(_source_parameter(op, name) for name in op.inputs.names), *words], "Tensor"
    )


def _source_parameter(op: Op, name: str) -> Parameter:
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
