"""The parts that schemas are built from, and the description of each key."""

from __future__ import annotations

from typing import Any

from mimgraph.language.keys import KEYS
from mimgraph.ops.libraries import LIBRARIES

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
