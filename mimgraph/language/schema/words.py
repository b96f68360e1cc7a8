"""The few shapes that schemas are built from, and what each key is about."""

from __future__ import annotations

from typing import Any

from mimgraph.language.keys import KEYS

Json = dict[str, Any]

IDENTIFIER = "^[A-Za-z_][A-Za-z0-9_]*$"
EXPRESSION = r"^\$([A-Za-z_][A-Za-z0-9_]*|\([\s\S]+\))$"

FLAG: Json = {"type": "boolean"}
CLOSED: Json = {"type": "object", "additionalProperties": False}
COMPUTED: Json = {"type": "string", "pattern": EXPRESSION}
# a text that begins with a $ is an expression
TEXT: Json = {"type": "string", "pattern": rf"^(?!\$)|{EXPRESSION}"}


def ref(name: str) -> Json:
    """A definition by its name."""
    return {"$ref": f"#/$defs/{name}"}


def refs(*names: str) -> Json:
    """Keys whose definitions have their names."""
    return {name: ref(name) for name in names}


def about(key: str) -> Json:
    """What a key is about, plain and as Markdown."""
    text = KEYS[key].about
    return {"description": text.replace("`", ""), "markdownDescription": text}


def keys(**schemas: Json) -> Json:
    """The schemas of keys, each with what it is about; a name that Python keeps ends in `_`."""
    return {(key := name.rstrip("_")): {**one, **about(key)} for name, one in schemas.items()}


def any_of(*alternatives: Json) -> Json:
    """One of several; of one, that one."""
    return {"anyOf": list(alternatives)} if len(alternatives) > 1 else alternatives[0]


def only_one(named: Json, others: Json | bool = False) -> Json:
    """A mapping of one key: one of those, or another."""
    return {
        "type": "object",
        "properties": named,
        "additionalProperties": others,
        "minProperties": 1,
        "maxProperties": 1,
    }


def named(things: Json) -> Json:
    """Things of a graph by name."""
    return {"type": "object", "propertyNames": ref("name"), "additionalProperties": things}


def named_inputs(things: Json) -> Json:
    """Return the schema of the inputs of a graph or block by name, at least one."""
    return {**named(things), "propertyNames": ref("input_name"), "minProperties": 1}


def lists(items: Json) -> Json:
    """One value for each of several sources or repeats."""
    return {"type": ["array", "string"], "pattern": EXPRESSION, "items": items}
