"""Few files name the kinds of operations themselves."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.conftest import ROOT

# A new key of the language touches its reader and writer, its typing, the code and the pictures of
# its modules, the builder's declaration of it and the edits of one; every other pass asks the operation.
NAME_EACH = (
    "builder/declare_each.py",
    "builder/declare_layer.py",
    "builder/edits/change_nodes.py",
    "builder/edits/edit.py",
    "builder/edits/options.py",
    "compare/weights/steps.py",
    "emit/modules.py",
    "infer/each.py",
    "infer/typer.py",
    "ir/declared_graph.py",
    "ir/declared_graph.py",
    "ir/rewrite.py",
    "ir/typed_operations.py",
    "declare/nodes.py",
    "language/writer.py",
    "picture/diagram/build.py",
    "picture/faulty/boxes.py",
)


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
