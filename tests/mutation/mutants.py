"""Mutants of the package's source: one changed comparison, constant, branch, return or call each."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    area: str
    path: str
    index: int  # of the node, in the order of ast.walk
    kind: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.kind}"


def sample(root: Path, areas: dict[str, str], number: int, seed: int) -> list[Mutant]:
    """Return `number` mutants at random, as many of each area, the areas in turn."""
    chosen = random.Random(seed)
    columns = []
    for area, folder in areas.items():
        found = [
            Mutant(area, str(path.relative_to(root)), *site)
            for path in sorted((root / folder).rglob("*.py"))
            for site in _sites(ast.parse(path.read_text()))
        ]
        chosen.shuffle(found)
        columns.append(found[: -(-number // len(areas))])
    return [mutant for row in zip(*columns, strict=True) for mutant in row][:number]


def mutate(mutant: Mutant, text: str) -> str:
    """Return the text of the mutant's file with its change, if it has one."""
    if mutant.kind == "none":
        return text
    tree = ast.parse(text)
    _change(list(ast.walk(tree))[mutant.index], mutant.kind)
    return ast.unparse(ast.fix_missing_locations(tree))


def _sites(tree: ast.AST) -> Iterator[tuple[int, str, int]]:
    """Yield the index, kind and line of each change inside functions, but for types and messages."""
    inside: set[int] = set()
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            body = node.body if isinstance(node.body, list) else [node.body]
            inside |= {id(each) for part in body for each in ast.walk(part)}
        skipped |= {id(each) for part in _unmutated(node) for each in ast.walk(part)}
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in inside - skipped and (kind := _kind(node)):
            line = node.ifs[0].lineno if isinstance(node, ast.comprehension) else node.lineno
            yield index, kind, line


def _unmutated(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what no test could see or need not: annotations, decorators, and how errors are worded."""
    for field in ("annotation", "returns"):
        if isinstance(annotation := getattr(node, field, None), ast.AST):
            yield annotation
    yield from getattr(node, "decorator_list", [])
    if isinstance(node, ast.Raise | ast.Assert):
        yield node
    if isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))


def _kind(node: ast.AST) -> str | None:
    """Return the name of the change that a node can take."""
    match node:
        case ast.Compare(ops=[first, *_]) if type(first) in COMPARISONS:
            return "compare"
        case ast.BoolOp():
            return "boolop"
        case ast.UnaryOp(op=ast.Not()):
            return "not"
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            return "binop"
        case ast.Constant(value=int()):
            return "constant"
        case ast.Return(value=value) if value and not _is_none(value):
            return "return"
        case ast.If() | ast.IfExp():
            return "branch"
        case ast.comprehension(ifs=[_, *_]):
            return "condition"
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            return "drop"
    return None


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _change(node: ast.AST, kind: str) -> None:
    match node:
        case ast.Compare():
            node.ops[0] = COMPARISONS[type(node.ops[0])]()
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp():
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.BinOp():
            node.op = ARITHMETIC[type(node.op)]()
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value)):
            node.value = value + 1
        case ast.Return() | ast.Expr():
            node.value = ast.Constant(None)
        case ast.If() | ast.IfExp():
            node.test = ast.Constant(False)
        case ast.comprehension():
            del node.ifs[0]
        case _:
            raise ValueError(f"no change of kind {kind} at {node}")
