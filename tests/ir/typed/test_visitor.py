"""The visitor calls a method for each kind of operation; few files name the kinds themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import mimgraph as mg
from mimgraph.ir.typed.operations import Leaf, Repeated, Sequence, TypedOperation, Use
from mimgraph.ir.typed.visitor import OperationVisitor
from tests.conftest import ROOT
from tests.ir.typed.test_kind import TEXT

# A new key of the language touches its reader and writer, its typing, the code and the pictures of
# its modules, the builder's declaration of it and the edits of one; every other pass asks the operation.
NAME_EACH = (
    "builder/declare_each.py",
    "builder/declare_training.py",
    "builder/edits/edit.py",
    "builder/edits/options.py",
    "builder/edits/paths.py",
    "builder/edits/change_nodes.py",
    "builder/handles/record_call.py",
    "compare/weights/steps.py",
    "emit/classes/modules.py",
    "infer/nodes/each.py",
    "infer/nodes/node.py",
    "ir/declared/graph.py",
    "ir/declared/operations.py",
    "ir/declared/rewrite.py",
    "ir/typed/operations.py",
    "ir/typed/visitor.py",
    "language/reader/operations.py",
    "language/writer.py",
    "picture/diagram/build.py",
    "picture/faulty/boxes.py",
)


class Describe(OperationVisitor[[str], str]):
    """Returns the kind of an operation, after a word."""

    def visit_leaf(self, leaf: Leaf, word: str) -> str:
        return f"{word} leaf"

    def visit_sequence(self, sequence: Sequence, word: str) -> str:
        return f"{word} sequence"

    def visit_use(self, use: Use, word: str) -> str:
        return f"{word} use"

    def visit_repeated(self, repeated: Repeated, word: str) -> str:
        return f"{word} repeated"

    def visit_other(self, operation: TypedOperation, word: str) -> str:
        return f"{word} other"


def test_each_kind_has_a_method() -> None:
    """A kind without a method goes to `visit_other`, a share to the operation that it runs."""
    body = mg.loads(TEXT).typed.body
    found = {node.name: Describe().visit(node.operation, "a") for node in body.nodes}
    assert found == {
        "layer": "a leaf",
        "seq": "a sequence",
        "use": "a use",
        "row": "a use",
        "merge": "a use",
        "repeat": "a repeated",
        "rows": "a repeated",
        "loop": "a repeated",
        "never": "a repeated",
        "each": "a other",
        "share": "a sequence",
        "shares": "a other",
    }


def test_few_files_know_each_by_name() -> None:
    package = ROOT / "mimgraph"
    found = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if _names(path)}
    assert found == {*NAME_EACH}


def _names(path: Path) -> bool:
    """Return whether the code of a file names the kind `Each`."""
    text = path.read_text()
    if "Each" not in text:
        return False  # without parsing it
    parts = list(ast.walk(ast.parse(text)))
    return any(
        (isinstance(part, ast.Name) and part.id == "Each")
        or (isinstance(part, ast.Attribute) and part.attr == "Each")
        or (isinstance(part, ast.ImportFrom) and "Each" in [alias.name for alias in part.names])
        for part in parts
    )
