"""Write a node of a spec as Python code: `{layer: Linear, from: x, out_features: 10}` becomes
`layers.Linear(10)(x)`.

The docstrings of ops have their examples in YAML, from which `help(layers.Linear)` shows Python.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from mimgraph.ops import registry

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
