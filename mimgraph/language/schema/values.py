"""The JSON Schema of options: the values that their types allow, or an expression."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mimgraph.ir.dim import Dim
from mimgraph.ir.option_types import Plain, describe
from mimgraph.language.keys import KEYS
from mimgraph.ops.layers.tensors import INITS, Init
from mimgraph.ops.op import OptionSpec
from mimgraph.ops.registry import LIBRARIES

Json = dict[str, Any]

IDENTIFIER = "^[A-Za-z_][A-Za-z0-9_]*$"
EXPRESSION = r"^\$([A-Za-z_][A-Za-z0-9_]*|\([\s\S]+\))$"

# models of libraries, whose options the schema does not know
MODELS = f"^({'|'.join(LIBRARIES)})[.]"
MODEL: Json = {"type": "string", "pattern": MODELS}

FLAG: Json = {"type": "boolean"}
SWITCH: Json = {"type": ["boolean", "string"], "pattern": EXPRESSION}  # a param may decide
CLOSED: Json = {"type": "object", "additionalProperties": False}
COMPUTED: Json = {"type": "string", "pattern": EXPRESSION}
# a string that begins with a $ must be an expression
TEXT: Json = {"type": "string", "pattern": rf"^(?!\$)|{EXPRESSION}"}


def ref(name: str) -> Json:
    """Return a reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def refs(*names: str) -> Json:
    """Return references for keys that have the names of their definitions."""
    return {name: ref(name) for name in names}


def about(key: str) -> Json:
    """Return the description of a key, with its default if that is a value, plain and as Markdown."""
    text, default = KEYS[key].about, KEYS[key].default
    if default.startswith("`"):
        text += f" Default: {default}."
    if "`" not in text:
        return {"description": text}
    return {"description": text.replace("`", ""), "markdownDescription": text}


def keys(**schemas: Json) -> Json:
    """Return the schemas of keys with their descriptions; `from_` stands for `from`, a keyword of
    Python."""
    return {(key := name.rstrip("_")): {**one, **about(key)} for name, one in schemas.items()}


def any_of(*alternatives: Json) -> Json:
    """Return the schema of a value that fits one of several, or the only one."""
    return {"anyOf": list(alternatives)} if len(alternatives) > 1 else alternatives[0]


def only_one(named: Json) -> Json:
    """Return the schema of a mapping with one key, which is in `named`."""
    return {
        "type": "object",
        "properties": named,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def named(things: Json) -> Json:
    """Return the schema of a mapping from names to things of a graph."""
    return {"type": "object", "propertyNames": ref("name"), "additionalProperties": things}


def named_inputs(things: Json) -> Json:
    """Return the schema of the inputs of a graph or block by name, at least one."""
    return {**named(things), "propertyNames": ref("input_name"), "minProperties": 1}


def lists(items: Json) -> Json:
    """Return the schema of a list with a value for each of several sources or repeats."""
    return {"type": ["array", "string"], "pattern": EXPRESSION, "items": items}


# The JSON Schema of options: the values that their types allow, or an expression.


_TYPES = {int: "integer", float: "number", bool: "boolean", type(None): "null"}
_ANY = ["null", "boolean", "number", "string", "array", "object"]


def option(spec: OptionSpec) -> Json:
    """Return the schema of an option, by its type and its default."""
    found = _type(spec.annotation)
    if spec.inferred:
        return {**found, "description": f"{describe(spec.annotation)}; inferred from the input"}
    default = _plain(spec.default)
    return found if default is None else {**found, "default": default}


def option_of_each(spec: OptionSpec) -> Json:
    """Return the schema of a list of values of an option, one for each of several sources."""
    return ref(f"each.{_name(spec.annotation)}")


def types(specs: Iterable[OptionSpec]) -> Json:
    """Return the definitions of the types that options have."""
    annotations = dict.fromkeys(spec.annotation for spec in specs)
    return {_name(one): {"description": describe(one), **value(one)} for one in annotations}


def lists_of_types(specs: Iterable[OptionSpec]) -> Json:
    """Return the definitions of these types too, and of lists of their values."""
    found = types(specs)
    return {**found, **{f"each.{name}": lists(ref(name)) for name in found}}


def _type(annotation: Any) -> Json:
    return ref(_name(annotation))


def _name(annotation: Any) -> str:
    """Return the name of a type in references: its description with only word characters."""
    return re.sub(r"[^\w-]+", "_", describe(annotation))


def value(annotation: Any) -> Json:
    """Return the schema of a value of this type, or of an expression that computes one."""
    if annotation is Any:  # the only such option is the init of a tensor
        return ref("initial")
    members = _members(annotation)
    allowed = [one for member in members for one in _literals(member)]
    leaves = [_leaf(member) for member in members if not _literals(member)]
    words = f"{describe(annotation)}, or an expression: $name, $(2 * name)"
    computed = {**COMPUTED, "patternErrorMessage": words}
    return any_of(*([{"enum": allowed}] if allowed else []), *_leaves(leaves, computed))


def _members(annotation: Any) -> list[Any]:
    """Return the members of a union, without an integer beside a size, which includes it."""
    if get_origin(annotation) not in (Union, UnionType):
        return [annotation]
    members = get_args(annotation)
    return [member for member in members if not (member is int and Dim in members)]


def _literals(member: Any) -> tuple[Any, ...]:
    return get_args(member) if get_origin(member) is Literal else ()


def _leaf(annotation: Any) -> Json:
    """Return the schema of a type that is no union."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = {"minimum": arguments[1].low, "maximum": arguments[1].high}
        given = {key: bound for key, bound in bounds.items() if bound is not None}
        return {**_leaf(arguments[0]), **given}
    if origin is tuple:
        count = len(arguments)
        length = {} if arguments[-1] is Ellipsis else {"minItems": count, "maxItems": count}
        return {"type": "array", "items": value(arguments[0]), **length}
    if origin is dict:
        return {"type": "object", "additionalProperties": value(arguments[1])}
    if annotation is Dim:
        return {"type": "integer", "minimum": 1}
    if annotation is Plain:
        return ref("data")
    return TEXT if annotation is str else {"type": _TYPES[annotation]}


def _leaves(leaves: list[Json], computed: Json) -> list[Json]:
    """Return the schemas of a union's members and of an expression, with as many as possible in one
    schema, as long as each has a JSON type of its own.

    An editor reports one schema in fewer words. Lists and mappings stay apart, as an editor would
    otherwise always complete a list.
    """
    nested = [leaf for leaf in leaves if leaf.get("type") in (None, "array", "object")]
    flat = leaves if leaves == nested[:1] else [leaf for leaf in leaves if leaf not in nested]
    kinds = [leaf.get("type") for leaf in flat]
    if None in kinds or len(set(kinds)) < len(kinds) or {"integer", "number"} <= set(kinds):
        return [*leaves, computed]
    merged = dict(computed)
    for leaf in flat:
        merged.update(leaf)
    merged["type"] = list(dict.fromkeys([*kinds, "string"]))
    return [merged, *(leaf for leaf in nested if leaf not in flat)]


def values() -> Json:
    """Return the definitions of any data, and of the initial values of a tensor."""
    numbers = ["number", "boolean", "array", "string"]
    return {
        "data": {**TEXT, "items": ref("data"), "additionalProperties": ref("data"), "type": _ANY},
        "numbers": {"type": numbers, "pattern": EXPRESSION, "items": ref("numbers")},
        "initial": _initial(),
    }


def _initial() -> Json:
    """Return the schema of initial values: an init, alone or with its arguments, or numbers."""
    return {
        "anyOf": [
            {"enum": [name for name, init in INITS.items() if not init.required]},
            only_one({name: _arguments(init) for name, init in INITS.items()}),
            ref("numbers"),
        ]
    }


def _arguments(init: Init) -> Json:
    """Return the schema of an init's value: its arguments, the value of one, or null."""
    arguments = {name: _argument(wants) for name, wants in init.arguments.items()}
    named = {**CLOSED, "properties": arguments, "required": list(init.required)}
    alone = [] if init.lone is None else [arguments[init.lone]]
    return any_of(named, *alone, *([] if init.required else [{"type": "null"}]))


def _argument(annotation: Any) -> Json:
    """Return the schema of an argument of an init; one of any type is a value of the tensor."""
    if annotation is not Any:
        return value(annotation)
    return {"type": ["number", "boolean", "string"], "pattern": EXPRESSION}


def _plain(default: Any) -> Any:
    """Return a default if JSON can hold it, else None."""
    if isinstance(default, tuple | list):
        return [_plain(item) for item in default]
    if isinstance(default, float) and not math.isfinite(default):
        return None
    return default if isinstance(default, str | int | float | dict) else None
