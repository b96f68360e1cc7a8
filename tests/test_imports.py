"""Imports go in one direction, and commands that need no torch do not import it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import mimgraph as mg
from tests.conftest import ROOT, in_ci

PACKAGE = ROOT / "mimgraph"

# Each part may import itself and the parts on the lines below it.
ORDER: tuple[frozenset[str], ...] = tuple(
    frozenset(line.split())
    for line in """
        __main__
        __init__ cli
        editor
        carried layers merges imported project trials
        graph
        restore gallery importer
        builder compare language pipeline search
        picture
        summary runtime
        inspection
        emit cost
        declare
        infer encoders
        ops
        ir
        diagnostics
        source support
    """.strip().splitlines()
)
RANKS = {part: rank for rank, parts in enumerate(reversed(ORDER)) for part in parts}

WITH_TORCH = (
    *("importer/", "runtime/", "pipeline/torch_stage.py"),
    *("encoders/without_weights.py", "encoders/transformers/runs.py"),
    *(f"ops/custom/{name}.py" for name in ("probe", "runs")),
)


class Import(NamedTuple):
    """A module that a file imports, anywhere in it; `for_types` if only type checkers see the import."""

    file: str
    line: int
    module: str
    for_types: bool


def imports(path: Path) -> Iterator[Import]:
    """Yield every import of a file, also inside functions."""
    file = path.relative_to(PACKAGE).as_posix()
    tree = ast.parse(path.read_text())
    typed = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} is a relative import"
            modules = [node.module or ""]
            if node.module == "mimgraph":  # its names are parts
                modules = [f"mimgraph.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            yield Import(file, node.lineno, module, node in typed)


@cache
def every_import() -> list[Import]:
    """Return the imports of all files."""
    return [found for path in sorted(PACKAGE.rglob("*.py")) for found in imports(path)]


def part(file: str) -> str:
    """Return the folder or module of a file, as `ORDER` names it."""
    return file.partition("/")[0].removesuffix(".py")


def test_every_part_has_its_place() -> None:
    parts = {part(path.relative_to(PACKAGE).as_posix()) for path in PACKAGE.rglob("*.py")}
    assert parts <= RANKS.keys()


@pytest.mark.slow
def test_imports_go_one_way() -> None:
    wrong = []
    for file, line, module, _ in every_import():
        if module.startswith("mimgraph."):
            ours, theirs = part(file), module.split(".")[1]
            if ours != theirs and RANKS[ours] <= RANKS[theirs]:
                wrong.append(f"{file}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_only_what_runs_modules_imports_torch() -> None:
    importing = {
        found.file
        for found in every_import()
        if found.module.partition(".")[0] in ("torch", "safetensors", "numpy")
        and not found.for_types
    }
    assert not [file for file in importing if not file.startswith(WITH_TORCH)]


COMMANDS = {
    "check": ["check", "SPEC"],
    "check as json": ["check", "SPEC", "--format", "json"],
    "summary": ["summary", "SPEC"],
    "space": ["space", "SPEC", "--prove", "2"],
    "draw": ["draw", "SPEC", "-o", "OUT/model.svg"],
    "diff": ["diff", "SPEC", "SPEC", "--format", "md", "-o", "OUT/diff.svg"],
    "emit": ["emit", "SPEC"],
    "check of weights": ["check", "WEIGHTS"],
    "draw of weights": ["draw", "WEIGHTS", "-o", "OUT/model.svg"],
    "layers": ["layers"],
    "explain": ["explain", "cycle"],
    "rename": ["rename", "SPEC", "image", "picture", "--diff"],
    "schema": ["schema"],
    "layer": ["layers", "Conv2d"],
    "completion": ["completion", "bash"],
    "gallery": ["gallery"],
}


IN_DEFAULT = ("check", "emit", "draw of weights")


@pytest.mark.parametrize("name", [in_ci(name, unless=name in IN_DEFAULT) for name in COMMANDS])
def test_runs_without_torch(name: str, tmp_path: Path) -> None:
    spec = ROOT / "specs" / "residual_cnn.yaml"
    weights = tmp_path / "model.safetensors"
    if "WEIGHTS" in COMMANDS[name]:
        graph = mg.load(spec)
        graph.save(graph.compile(), weights)
    places = {"SPEC": str(spec), "WEIGHTS": str(weights), "OUT": str(tmp_path)}
    arguments = [re.sub("|".join(places), lambda m: places[m[0]], word) for word in COMMANDS[name]]
    script = (
        "import sys\n"
        "from mimgraph.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "assert not {'torch', 'rich'} & {*sys.modules}\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


SLOW = {"shutil", "textwrap", "rich", "threading", "unicodedata", "tempfile", "mimgraph.cli.help"}


@pytest.mark.slow
def test_a_check_waits_for_nothing_that_it_does_not_need() -> None:
    script = (
        "import sys\n"
        "from mimgraph.cli import main\n"
        "main(sys.argv[1:])\n"
        f"print({SLOW} & {{*sys.modules}})\n"
    )
    spec = str(ROOT / "specs" / "residual_cnn.yaml")
    command = [sys.executable, "-S", "-c", f"import sys; sys.path = {sys.path}\n{script}"]
    done = subprocess.run([*command, "check", spec], capture_output=True, text=True, check=True)
    assert done.stdout == f"{spec}: ok, 5 nodes\nset()\n"


READING = ("infer", "ops", "declare", "editor.analysis", "emit")


@pytest.mark.slow
def test_the_language_server_answers_before_it_imports_what_reads_specs() -> None:
    script = (
        "import sys\nfrom mimgraph.editor.server.spec_server import SpecServer\nSpecServer()\n"
        f"print(['mimgraph.' + one for one in {READING} if 'mimgraph.' + one in sys.modules])\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


IN_ORDER = "inputs: {x: [4]}\nnodes:\n  a: {layer: ReLU, from: x}\n  b: {layer: Tanh, from: a}\noutputs: b\n"
OUT_OF_ORDER = "inputs: {x: [4]}\nnodes:\n  b: {layer: Tanh, from: a}\n  a: {layer: ReLU, from: x}\noutputs: b\n"


@pytest.mark.slow
@pytest.mark.parametrize(("text", "imported"), [(IN_ORDER, False), (OUT_OF_ORDER, True)])
def test_networkx_is_imported_where_nodes_are_out_of_order(text: str, imported: bool) -> None:
    script = (
        "import sys\nimport mimgraph as mg\n"
        f"mg.loads({text!r})\nassert ('networkx' in sys.modules) is {imported}\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
