"""Convert a declared graph to plain data, as a spec holds it, and plain data to the text of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.ir.declared_graph import Graph
from mimgraph.ir.declared_values import Template, Written
from mimgraph.language.writer import tree
from mimgraph.language.yaml_text import Tall, written_text, yaml_text
from mimgraph.language.yaml_tree.limits import MAX_BYTES, MAX_DEPTH
from mimgraph.source import SourceFile
from mimgraph.support.arguments import plain, shown, wrong

TALL = ("params", "inputs", "nodes", "outputs")  # sections with a line for each of their entries
MOST_BITS = 1024  # of an integer; the reader refuses it from 64 on, and Python does not print any


def to_data(graph: Graph) -> dict[str, Any]:
    """Return the spec of a graph as dicts, lists, texts and numbers; expressions are texts."""
    found: dict[str, Any] = _without_records(tree(graph))
    return found


def _without_records(value: Any) -> Any:
    match value:
        case Written():
            return written_text(value)
        case Template(text):
            return text
        case dict():
            return {str(key): _without_records(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_records(item) for item in value]
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case str():
            return str(value)
    raise TypeError(f"a spec cannot hold {value!r}")


def to_text(given: object, name: str) -> str:
    """Return plain data as the text of a spec, in which its faults are shown; `name` is that of the text.

    A `TypeError` says where it is no plain data.
    """
    if isinstance(given, str):
        raise TypeError("from_dict takes a dict: mg.loads takes the text of a spec")
    if not isinstance(given, Mapping):
        raise wrong("a spec", "a dict as graph.to_dict() returns", given)
    return yaml_text(_spec(_Plain(name).value(given, ())))


def _spec(given: dict[str, Any]) -> Tall:
    """Return a spec or block with a line for each node."""
    return Tall((key, _section(key, value)) for key, value in given.items())


def _section(key: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if key == "blocks":
        return Tall((k, _spec(one) if isinstance(one, dict) else one) for k, one in value.items())
    return Tall(value) if key in TALL else value


class _Plain:
    """Copies data that is plain, and counts it: a list may hold itself, or one list many times."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left = MAX_BYTES

    def value(self, given: Any, path: tuple[str, ...]) -> Any:
        """Return the copy of the value at a path, with Python's own numbers and texts."""
        self.left -= 2 + (len(given) if isinstance(given, str) else 0)  # `, `, `[]` or a line
        if self.left < 0:
            raise self._too_large(f"the dict has more than {MAX_BYTES:,} bytes")
        if len(path) > MAX_DEPTH:
            raise self._too_large(f"the dict is nested more than {MAX_DEPTH} levels deep")
        if isinstance(given, Mapping):
            return {self._key(k, path): self.value(one, (*path, k)) for k, one in given.items()}
        if isinstance(given, list | tuple):
            return [self.value(one, (*path, str(i))) for i, one in enumerate(given)]
        return self._scalar(plain(given), path)

    def _key(self, key: object, path: tuple[str, ...]) -> str:
        if not isinstance(key, str):
            raise TypeError(f"a key in {_at(path)} is {shown(key)}, not a string")
        self.left -= len(key)
        return str.__str__(key)  # without what an enum adds

    def _scalar(self, given: Any, path: tuple[str, ...]) -> Any:
        match given:
            case None | bool():
                return given
            case str():
                return str.__str__(given)
            case int() if given.bit_length() <= MOST_BITS:
                return int(given)
            case float():
                return float(given)
            case list():  # a row of numpy
                return self.value(given, path)
        raise TypeError(f"a spec holds plain data, but {_at(path)} is {shown(given)}")

    def _too_large(self, message: str) -> SpecError:
        return SpecError([Diagnostic("too-large", message, SourceFile(self.name, "").start)])


def _at(path: tuple[str, ...]) -> str:
    """Return the path of a value: `nodes.fc.out_features`."""
    text = ".".join(path) or "the spec"
    return text if len(text) <= 80 else f"{text[:40]}…{text[-39:]}"
