"""Find the op that was meant: by torch's or Keras's name, as an attribute, as YAML or Python; and write it in YAML."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from mimgraph.diagnostics.nearest import nearest, suggestion
from mimgraph.diagnostics.text import put, unmarked
from mimgraph.ir.declared_values import Option
from mimgraph.ops import registry
from mimgraph.ops.custom import registration
from mimgraph.ops.op import Op
from mimgraph.support.plugins import BrokenPlugin

Form = Literal["node", "item", "activation"]  # where a layer is written

LONGEST = 200  # characters of Python that are read
_PYTHON = re.compile(r"((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*)(\(.*\))?", re.ASCII | re.DOTALL)
_PLAIN = (int, float, str)
_NODE = re.compile(r"\{layer: (\w+)(?:, from: \{\w+\})?(?:, ((?!from: ).*?))?\}")


def as_item(help: str) -> str:
    """Return a help with each node that it has as an item of a seq: `{Upsample: {mode: nearest}}`."""
    return _NODE.sub(lambda m: f"{{{m[1]}: {{{m[2]}}}}}" if m[2] else m[1], help)


def as_written(op: Op, options: Mapping[str, str], form: Form) -> str:
    """Return a layer with these options as YAML to write: `activation: {Softmax: -1}`."""
    listed = ", ".join(f"{name}: {value}" for name, value in options.items())
    if form == "node":
        return put(f"{{layer: {', '.join(filter(None, (op.name, listed)))}, ...}}")
    inside = next(iter(options.values())) if [*options] == [op.lone_option] else f"{{{listed}}}"
    text = f"{{{op.name}: {inside}}}" if listed else op.name
    return put(f"activation: {text}" if form == "activation" else text)


def with_required(op: Op, given: Mapping[str, Option], form: Form) -> str:
    """Return a layer as YAML with all required options: those given, the others as in its example."""
    shown: dict[str, str] = {}
    for spec in op.required:
        value = given[spec.name].value if spec.name in given else None
        shown[spec.name] = str(value) if type(value) in _PLAIN else "..."
        # 0 is the batch
        if spec.name not in given or (spec.name.startswith("dim") and value == 0):
            shown[spec.name] = op.shown(spec.name)
    return as_written(op, shown, form)


def python_name(text: str) -> str:
    """Return `Softmax` for `nn.Softmax(dim=1)`; return any other text unchanged."""
    found = _PYTHON.fullmatch(text) if len(text) <= LONGEST else None
    return found[2] if found else text


def from_python(text: str, form: Form) -> str:
    """Return a layer written in Python (`nn.Linear(10, 5)`, `F.relu`) as YAML; "" for other texts."""
    found = _PYTHON.fullmatch(text) if len(text) <= LONGEST else None
    op = torch_layer(found[2]) if found else None
    if found is None or op is None:
        return ""
    return as_written(op, _options(op, found[3] or "()"), form)


def torch_layer(name: str) -> Op | None:
    """Return the layer for a class or function of torch: `LogSoftmax` for `log_softmax`."""
    wanted = _plain(name)
    names = (known for known in registry.names("layer") if known.lower() == wanted)
    return registry.find("layer", name) or registry.find("layer", next(names, ""))


def named_elsewhere(name: str) -> Op | None:
    """Return the op with that name in torch or Keras: the merge `concat` for `cat`."""
    op = _ours().get(_plain(name), "")
    return registry.find("layer", op) or registry.find("merge", op)


class Names(NamedTuple):
    """What others call an op: in torch and in Keras, with spaces between the names, and what people say.

    Without `torch`, a layer is the class of torch.nn with its own name; "" says that torch has none.
    """

    torch: str | None = None
    keras: str = ""
    said: tuple[str, ...] = ()


@cache
def all_names() -> Mapping[str, Names]:
    """Return what others call the ops, by the name of the op."""
    import yaml  # only who looks for an op needs it

    text = Path(__file__).with_name("names.yaml").read_text(encoding="utf-8")
    return {op: Names(**names) for op, names in yaml.load(text, yaml.CSafeLoader).items()}


def names_of(op: Op) -> Names:
    """Return what others call an op; a model of a library or a module that the user registered has no
    other names."""
    if registry.is_model(op.name) or not op.function.__module__.startswith("mimgraph."):
        return Names("")
    names = all_names().get(op.name, Names())
    own = f"nn.{op.name}" if op.kind == "layer" else ""
    return names if names.torch is not None else names._replace(torch=own)


@cache
def _ours() -> Mapping[str, str]:
    """Return the name of the op for each name in torch and Keras, in small letters without `_`."""
    found: dict[str, str] = {}
    for name, names in all_names().items():
        for text in f"{names.torch or ''} {names.keras}".split():
            found.setdefault(_plain(text.rpartition(".")[2]), name)
    return found


def _plain(name: str) -> str:
    """Return a name in small letters without `_`."""
    return name.replace("_", "").lower()


def _options(op: Op, arguments: str) -> dict[str, str]:
    """Return the options of a Python call in torch's order, `...` for values that are not literals."""
    try:
        call = ast.parse(f"f{arguments}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"...": "..."}
    if not isinstance(call, ast.Call):
        return {"...": "..."}
    named = {word.arg: _value(word.value) for word in call.keywords if word.arg in op.options}
    given = [_value(argument) for argument in call.args]
    required = [spec.name for spec in op.required if spec.name not in named]
    order = list(op.by_position) or required
    if len(given) >= len(op.sizes) + len(required) or not op.by_position:
        given = given[len(op.sizes) :]
    options = dict(zip(order, given, strict=False))
    return options | {name: value for name, value in named.items() if name is not None}


def _value(node: ast.expr) -> str:
    """Return a Python literal as YAML."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return "..."
    return _yaml(value)


def _yaml(value: object) -> str:
    """Return a value as YAML, `...` for one that YAML would read differently."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    plain = isinstance(value, int | float) or (isinstance(value, str) and value.isidentifier())
    return str(value) if plain else "..."


# Look an op up as an attribute, `layers.Linear`, and explain a name that is none.


HOMES = {"layer": "layers", "merge": "merges"}


def attribute(kind: str, name: str) -> Op:
    """Return the op that `layers.NAME` or `merges.NAME` stands for; an `AttributeError` says what was
    probably meant."""
    op = registry.find(kind, name)
    if op is not None and not op.plugin:
        return op
    message = f"module 'mimgraph.{HOMES[kind]}' has no attribute {name!r}"
    if name.startswith("_"):  # Python and editors ask for such names
        raise AttributeError(message)
    try:
        op = registration.find(kind, name)
    except BrokenPlugin as broken:
        raise AttributeError(f"{message}: {broken}") from broken.__cause__
    if op is not None:
        return op
    raise AttributeError(f"{message}{_meant(kind, name)}")


def op_called(name: str) -> Op | None:
    """Return the layer or merge with this name, here or in torch or Keras: `Linear` for `Dense`."""
    return torch_layer(name) or _merge(name) or named_elsewhere(name)


def known_op(name: str) -> str:
    """Return the layer or merge with this name, here or in torch or Keras, as Python writes it:
    `layers.Linear` for `Dense`; "" if there is none."""
    op = op_called(name)
    return "" if op is None else f"{HOMES[op.kind]}.{op.name}"


def with_parentheses(op: Op) -> str:
    """Return a layer as Python makes one: `layers.ReLU()`, and `layers.Linear(...)`, which needs options."""
    return f"{HOMES[op.kind]}.{op.name}({'...' if op.required else ''})"


def _meant(kind: str, name: str) -> str:
    """Return the hint behind the message; "" if no name is similar."""
    if name in ("Input", "Sequential"):
        return f": did you mean mg.{name}?"
    names = sorted({*registry.names(kind), *registration.names(kind)})
    near = known_op(name) or nearest(name, names) or ""
    if near:
        return f": did you mean {near.removeprefix(f'{HOMES[kind]}.')}?"
    hint = unmarked(suggestion(name, names))
    return f": {hint}" if hint else ""


def _merge(name: str) -> Op | None:
    """Return the merge with this name in snake case or as a class: `multiply` for `Multiply`."""
    wanted = _plain(name)
    names = (known for known in registry.names("merge") if _plain(known) == wanted)
    return registry.find("merge", next(names, ""))
