"""Collect what a spec says of a node by name: options, activation, `take`, `over`, `share`, `repeat`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from mimgraph.compare.equality import comparable
from mimgraph.inspection.facts import WORD_DEFAULTS, activation_options, op_options, words
from mimgraph.ir.code import Code
from mimgraph.ir.declared_graph import Node
from mimgraph.ir.declared_values import Written
from mimgraph.ir.expression import Expression
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import Leaf, Repeated, Scan, Sequence, Use
from mimgraph.ops import registry


@dataclass(frozen=True, slots=True)
class Facts:
    """The values that are `given`, the `defaults`, and the values `inferred` from the sources.

    `origins` has the expressions of values; a bool, for one, cannot carry the expression it came from.
    """

    given: Mapping[str, Any]
    defaults: Mapping[str, Any]
    inferred: Mapping[str, Any]
    origins: Mapping[str, Expression]

    @property
    def notable(self) -> Mapping[str, Any]:
        """The given values that differ from their defaults."""
        return {
            name: value
            for name, value in self.given.items()
            if name not in self.defaults or comparable(value) != comparable(self.defaults[name])
        }


def facts(node: TypedNode) -> Facts:
    """Return the facts of a node, without its sources."""
    given: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    inferred: dict[str, Any] = {}
    operation = node.operation
    params: Iterable[str] = ()
    match operation:
        case Leaf():
            given, inferred = _options(operation)
            defaults = _defaults(operation.kind, operation.name)
        case Use(arguments=arguments, merge=merge) if merge:
            given, defaults = dict(arguments), _defaults("merge", merge)
        case Use(body) | Scan(body):
            given, defaults = dict(body.params), dict(body.defaults)
            params = body.params
        case Repeated(bodies):
            params = bodies[0].params if bodies else ()
            for name in params:
                given[name] = _one_or_all([body.params[name] for body in bodies])
                defaults[name] = bodies[0].defaults[name]
    if isinstance(operation, Leaf | Use) and operation.activation is not None:
        given["activation"] = _activation_text(operation.activation_name, operation.activation)
    said = words(node)
    given |= said
    defaults |= {word: WORD_DEFAULTS[word] for word in said if word in WORD_DEFAULTS}
    return Facts(given, defaults, inferred, _origins(node.declared, params))


def _origins(node: Node, params: Iterable[str]) -> Mapping[str, Expression]:
    """Return the expressions of options given by name, of the one given alone to a block, and of
    `freeze`, `lr` and `weight_decay`."""
    if node.applied is None:
        return {}
    options, lone = dict(node.applied.named), node.applied.lone
    if lone is not None:
        options |= dict.fromkeys(islice(params, 1), lone)
    words = node.training.given if node.training is not None else {}
    named = {name: option.value for name, option in {**options, **words}.items()}
    values = {"freeze": node.freeze, **named}
    return {name: v.expression for name, v in values.items() if isinstance(v, Written)}


def all_facts(node: TypedNode) -> dict[str, Any]:
    """Return what to show of a node that was added or removed: options, and the items of a chain."""
    found = dict(facts(node).notable)
    if isinstance(node.operation, Sequence):
        found["items"] = item_words(node.operation)
    return found


def item_words(chain: Sequence) -> list[str]:
    """Return the items in Python's spelling: `Linear(8)`, `Conv2d(8, kernel_size=3)`."""
    return [_called_with(item.op_name, facts(item).notable) for item in chain.items]


def _called_with(name: str, options: Mapping[str, Any]) -> str:
    words = [f"{key}={value}" for key, value in options.items()]
    op = registry.find("layer", name)
    if words and (op is None or next(iter(options)) == op.lone_option):
        words[0] = str(next(iter(options.values())))
    return f"{name}({', '.join(words)})" if words else name


def _options(leaf: Leaf) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options given, and the options inferred from the sources."""
    found = [option for option in op_options(leaf) if option.origin == "inferred"]
    inferred = {name: value for name, value, _ in found if leaf.options.get(name) is None}
    return {name: v for name, v in leaf.options.items() if name not in inferred}, inferred


def _defaults(kind: str, name: str) -> dict[str, Any]:
    op = registry.find(kind, name)
    return {} if op is None else {**op.defaults}


def _one_or_all(values: list[Any]) -> Any:
    """Return the values of a param in all repeats, or a single one if they are equal."""
    return (
        values[0] if all(comparable(value) == comparable(values[0]) for value in values) else values
    )


def _activation_text(name: str, code: Code) -> str:
    """Return an activation with its options, `GELU(approximate=tanh)`."""
    given = activation_options(code)
    options = ", ".join(f"{option}={value}" for option, value in given.items())
    return f"{name}({options})" if options else name
