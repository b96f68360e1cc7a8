"""Join arithmetic whose parts nothing else reads in one formula."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from mimgraph.importer.draft import Body, Node, Op, Port, Source
from mimgraph.importer.tidy.stateless import plain_reader

LONGEST = 80  # characters of a formula

_MERGES = {
    "subtract": "a - b",
    "multiply": "a * b",
    "divide": "a / b",
    "maximum": "maximum(a, b)",
    "minimum": "minimum(a, b)",
}
_FUNCTIONS = {"Sigmoid": "sigmoid(a)", "Tanh": "tanh(a)", "ReLU": "relu(a)"}
_SIZE = "size_of_"  # stands for the $ of sizes, which is not Python


def join_formulas(body: Body) -> None:
    """Join sums of sums in one `add`, and other arithmetic in formulas."""
    for node in [*body.nodes]:
        while any(_join_part(body, node, port) for port in [one.port for one in node.sources]):
            pass


def _join_part(body: Body, node: Node, port: Port) -> bool:
    """Join a node with one that it reads, if nothing else reads that; return whether it did."""
    part = port.node
    if not isinstance(part, Node) or plain_reader(body, part) is not node:
        return False
    if not (_join_sums(node, part) or _join(node, part)):
        return False
    node.comments = part.comments + node.comments
    body.nodes.remove(part)
    return True


def _join_sums(node: Node, part: Node) -> bool:
    """Let the first source of a sum be the sources of the sum that it is."""
    if node.sources[0].port.node is not part or not (node.is_op("add") and part.is_op("add")):
        return False
    assert node.op is not None and part.op is not None
    if part.op.activation is not None:
        return False
    node.sources[:1] = part.sources
    node.op.options |= part.op.options
    return True


def _join(node: Node, part: Node) -> bool:
    """Write a part of a formula inside it; return whether the node and its part are arithmetic."""
    outer, inner = _formula(node), _activated(part)
    if outer is None or inner is None or part.op is None:
        return False
    if node.is_op(*_FUNCTIONS):
        return False
    ports: dict[str, Port] = {}
    inside = _substitute(inner, _renamed(_inputs(part), ports))
    names = _renamed(_inputs(node), ports)
    (name,) = (name for name, port in _inputs(node).items() if port.node is part)
    if [one.id for one in ast.walk(outer) if isinstance(one, ast.Name)].count(name) > 1:
        return False  # else it would be computed twice
    names[name] = inside
    joined = _substitute(outer, names)
    text = _text(joined)
    if len(text) > LONGEST:
        return False
    assert node.op is not None
    options: dict[str, Any] = {"expr": text}
    if node.op.options.get("broadcast") or part.op.options.get("broadcast"):
        options["broadcast"] = True
    node.operation = Op("merge", "formula", options, node.op.activation)
    used = dict.fromkeys(one.id for one in ast.walk(joined) if isinstance(one, ast.Name))
    node.sources = [Source(ports[name], name) for name in used if name in ports]
    return True


def _activated(node: Node) -> ast.expr | None:
    """Return the formula of a node with its activation, if both are arithmetic."""
    formula = _formula(node)
    if formula is None or node.op is None or node.op.activation is None:
        return formula
    name, options = node.op.activation
    if name not in _FUNCTIONS or options:
        return None
    return _substitute(_parse(_FUNCTIONS[name]), {"a": formula})


def _formula(node: Node) -> ast.expr | None:
    """Return the formula of a node over the names of its inputs; None if it is not arithmetic."""
    if node.op is None or node.take or node.over is not None:
        return None
    match node.op:
        case Op("merge", "formula", {"expr": text}):
            return _parse(text)
        case Op("merge", "add", options) if options.keys() <= {"broadcast"}:
            return _parse(" + ".join(_letters(len(node.sources))))
        case Op("merge", name, options) if name in _MERGES and options.keys() <= {"broadcast"}:
            return _parse(_MERGES[name]) if len(node.sources) == 2 else None
        case Op("layer", name, options) if name in _FUNCTIONS and options.keys() <= {"inplace"}:
            return _parse(_FUNCTIONS[name])
    return None


def _inputs(node: Node) -> dict[str, Port]:
    """Return what the names in the formula of a node stand for."""
    if node.is_op("formula"):
        return {one.argument or "": one.port for one in node.sources}
    letters = _letters(len(node.sources))
    return {name: one.port for name, one in zip(letters, node.sources, strict=True)}


def _letters(count: int) -> list[str]:
    return [f"x{index}" if count > 20 else chr(ord("a") + index) for index in range(count)]


def _renamed(inputs: Mapping[str, Port], ports: dict[str, Port]) -> dict[str, ast.expr]:
    """Return a new name for each name of an input, the same for the same port, and note it in `ports`."""
    names: dict[str, ast.expr] = {}
    for name, port in inputs.items():
        known = next((one for one in ports if ports[one] == port), f"x{len(ports)}")
        ports[known] = port
        names[name] = ast.Name(known)
    return names


def _parse(text: str) -> ast.expr:
    return ast.parse(text.replace("$", _SIZE), mode="eval").body


def _text(tree: ast.expr) -> str:
    return ast.unparse(tree).replace(_SIZE, "$")


def _substitute(tree: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
    class Substitute(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.expr:
            if isinstance(node.func, ast.Name) and node.func.id == _SIZE:
                return node
            node.args = [self.visit(one) for one in node.args]
            return node

        def visit_Name(self, node: ast.Name) -> ast.expr:
            return names.get(node.id, node)

    result: ast.expr = Substitute().visit(tree)
    return result
