"""Count the size of the package: `python -m tests.size [FOLDER]`.

FOLDER is a checkout whose `mimgraph/` is counted, this one by default. Lines of code are lines without
blanks, comments and docstrings. A circle is a set of modules that import each other, directly or
through others; imports in functions count, those for type checkers only do not.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import networkx as nx

ROOT = Path(__file__).parent.parent
SMALL = 40  # a file with fewer lines is small
LONG = 60  # a function with more lines is long

FIRST_SPEC = "inputs: {x: [4]}\nnodes:\n  a: {layer: ReLU, from: x}\noutputs: a\n"
SPEC = "inputs: {x: [16]}\nnodes:\n  a: {layer: Linear, from: x, out_features: 64}\noutputs: a\n"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Import = ast.Import | ast.ImportFrom


class File(NamedTuple):
    """One file of the package, parsed."""

    path: Path  # in the checkout
    text: str
    nodes: list[ast.AST]

    @property
    def room(self) -> str:
        """Return the part of the package that the file belongs to."""
        return self.path.parts[1] if len(self.path.parts) > 2 else "."

    @property
    def module(self) -> str:
        """Return the name that imports the file."""
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    def code_lines(self) -> int:
        """Return the number of lines without blanks, comments and docstrings."""
        docstrings = {line for node in self.nodes for line in docstring_lines(node)}
        rows = enumerate(map(str.strip, self.text.splitlines()), 1)
        return sum(
            bool(row) and not row.startswith("#") and line not in docstrings for line, row in rows
        )

    def import_lines(self) -> int:
        """Return the number of lines that import statements take."""
        return sum(length(node) for node in self.nodes if isinstance(node, Import))

    def functions(self) -> Iterator[Function]:
        """Yield all functions and methods."""
        return (node for node in self.nodes if isinstance(node, Function))

    def imports_in_functions(self) -> set[Import]:
        """Return the statements in functions that import a part of the package."""
        return {
            node
            for function in self.functions()
            for node in ast.walk(function)
            if isinstance(node, Import) and any(map(is_ours, names(node)))
        }

    def imported(self, modules: set[str]) -> Iterator[str]:
        """Yield the modules of the package that the file imports when it runs."""
        for_types = {
            inner
            for node in self.nodes
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
            for statement in node.body
            for inner in ast.walk(statement)
        }
        for node in self.nodes:
            if isinstance(node, Import) and node not in for_types:
                for name in filter(is_ours, names(node)):
                    yield name if name in modules else name.rpartition(".")[0]


def files(folder: Path) -> list[File]:
    """Return the files of the package in a checkout."""
    found = []
    for path in sorted((folder / "mimgraph").rglob("*.py")):
        text = path.read_text()
        found.append(File(path.relative_to(folder), text, [*ast.walk(ast.parse(text))]))
    return found


def docstring_lines(node: ast.AST) -> range:
    """Return the lines of the docstring of a module, class or function."""
    if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node, False):
        first = node.body[0]
        return range(first.lineno, (first.end_lineno or first.lineno) + 1)
    return range(0)


def length(node: ast.stmt) -> int:
    """Return the number of lines from the first to the last of a statement."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def names(node: Import) -> list[str]:
    """Return the full names that a statement imports."""
    within = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return [within + alias.name for alias in node.names]


def is_ours(name: str) -> bool:
    """Return whether a module or name belongs to the package."""
    return name.partition(".")[0] == "mimgraph"


def circles(files: list[File]) -> list[set[str]]:
    """Return the sets of modules that import each other."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    modules = {file.module for file in files}
    for file in files:
        graph.add_edges_from((file.module, module) for module in file.imported(modules))
    return [part for part in nx.strongly_connected_components(graph) if len(part) > 1]


def called(folder: Path, run: Callable[[], object]) -> set[tuple[str, str]]:
    """Return the files and qualified names of the functions of the package that a call runs."""
    found = set()
    package = f"{folder.resolve() / 'mimgraph'}/"

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(package):
            found.add((frame.f_code.co_filename, frame.f_code.co_qualname))

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(previous)
    return found


def met_by_a_node(folder: Path) -> dict[str, set[tuple[str, str]]]:
    """Return the functions that a spec of one node runs until it has types, and until it has source.

    Another spec is loaded and emitted before, so that imports are not counted.
    """
    import mimgraph as mg  # of `folder`, which `main` puts first

    mg.loads(FIRST_SPEC).source()
    graphs: list[mg.Graph] = []
    to_types = called(folder, lambda: graphs.append(mg.loads(SPEC)))
    to_source = called(folder, lambda: graphs[0].source())
    return {"type": to_types, "type and source": to_types | to_source}


def report(files: list[File]) -> Iterator[str]:
    """Yield the lines that say how large the package is, and each of its parts."""
    lines, counts = Counter[str](), Counter[str]()
    for file in files:
        lines[file.room] += file.code_lines()
        counts[file.room] += 1
    in_functions = [node for file in files for node in file.imports_in_functions()]
    found = circles(files)
    small = sum(len(file.text.splitlines()) < SMALL for file in files)
    long = sum(length(function) > LONG for file in files for function in file.functions())
    yield f"{lines.total():,} lines of code, {sum(file.import_lines() for file in files):,} of imports"
    yield f"{len(files):,} files, {small} under {SMALL} lines"
    yield f"{len(found)} circles, {max(map(len, found), default=0)} modules in the largest"
    yield (
        f"{len(in_functions)} imports in functions, of "
        f"{sum(len(node.names) for node in in_functions)} names"
    )
    yield f"{long} functions of more than {LONG} lines"
    yield "\nroom            lines  files"
    for room, count in lines.most_common():
        yield f"{room:14}{count:7,}{counts[room]:7}"


def main() -> None:
    """Print the size of a checkout."""
    parser = argparse.ArgumentParser(prog="python -m tests.size", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT)
    folder = parser.parse_args().folder.resolve()
    sys.path.insert(0, str(folder))
    totals, _, rooms = "\n".join(report(files(folder))).partition("\n\n")
    print(totals)
    for end, functions in met_by_a_node(folder).items():
        print(
            f"a node to {end}: {len(functions)} functions in {len({f for f, _ in functions})} files"
        )
    print(f"\n{rooms}")


if __name__ == "__main__":
    main()
