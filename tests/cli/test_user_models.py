"""Every command that takes a spec takes a graph or module in the user's code, too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mimgraph.cli.loading import load_graph
from mimgraph.cli.user_models import ModelOptions
from tests.cli.conftest import NET

pytestmark = pytest.mark.usefixtures("my_model")


def test_other_commands_take_a_model(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    code, out = run("summary", *NET)
    assert code == 0 and "head" in out
    assert run("draw", *NET, "-o", "net.svg")[0] == 0
    assert "<svg" in (my_model / "net.svg").read_text()


def test_diff_of_a_spec_and_a_class(run) -> None:  # type: ignore[no-untyped-def]
    inputs = ModelOptions(inputs=["x=4", "y=6"])
    load_graph("my_model.py:Net", (), inputs).dump("net.yaml")
    code, out = run("diff", "net.yaml", *NET, "--exit-code")
    assert (code, out) == (0, "no changes\n")
    code, out = run("diff", "net.yaml", *NET, "--arg", "hidden=9", "--exit-code")
    assert code == 1 and "out_features 8 → 9" in out


def test_summary_fills_in_sizes(run) -> None:  # type: ignore[no-untyped-def]
    words = ("my_model.py:Words", "--arg", "width=3", "--input", "batch.ids=T:vocab=50")
    code, out = run("summary", *words, "--set", "T=5")
    assert (code, "(N, 5, 3)" in out) == (0, True)
    code, out = run("summary", *words, "--set", "hidden=5")
    assert code == 2 and "the sizes of its inputs: T" in out.error


GRAPHS = """\
import mimgraph as mg
from mimgraph import layers

x = mg.Input("x", [4])
graph = mg.Graph(layers.Linear(3)(x, name="fc"), name="Tiny")
searched = mg.loads('''
params: {width: {default: 3, search: [3, 5]}}
inputs: {x: [4]}
nodes: {fc: {layer: Linear, from: x, out_features: $width}}
outputs: fc
''')


def wide(width):
    return mg.Graph(layers.Linear(width)(x, name="fc"))


def wrong():
    return layers.Conv2d(3, 3)(x)
"""


@pytest.fixture
def my_graph(my_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with `my_graph.py`."""
    monkeypatch.delitem(sys.modules, "my_graph", raising=False)
    (my_model / "my_graph.py").write_text(GRAPHS)
    return my_model


TAKEN = {
    "check my_graph.py:graph": "my_graph.py:graph: ok, 1 node",
    "check my_graph:graph": "my_graph:graph: ok, 1 node",
    "check my_model.py:Net --input x=4 --input y=6": "my_model.py:Net: ok, 4 nodes",
    "summary my_graph.py:graph": "(N, 3)",
    "summary my_graph.py:wide --arg width=7": "(N, 7)",
    "summary my_graph.py:searched --set width=5": "(N, 5)",
    "emit my_graph.py:graph": "class Tiny(nn.Module)",
    "run my_graph.py:graph": "(2, 3)",
    "run my_model.py:Net --input x=4 --input y=6": "(2, 2)",
    "space my_graph.py:searched": "width",
    "draw my_graph.py:graph -o graph.svg": "wrote graph.svg",
    "diff my_graph.py:graph my_graph.py:searched": "Tiny",
    "new tiny --from my_graph.py:graph": "wrote tiny",
}


@pytest.mark.usefixtures("my_graph")
@pytest.mark.parametrize("words", TAKEN)
def test_commands_take_graphs_and_modules_in_code(run, words: str) -> None:  # type: ignore[no-untyped-def]
    code, out = run(*words.split())
    assert (code, TAKEN[words] in out + out.error) == (0, True), out + out.error


REFUSED = {
    "fmt my_graph.py:graph": "Python code, and this command reads a file",
    "rename my_graph.py:graph fc head": "Python code, and this command reads a file",
    "preview my_graph.py:graph": "Python code, and this command reads a file",
    "draw my_graph.py:graph --watch -o graph.svg": "Python code, and this command reads a file",
    "import my_graph.py:graph": "is a graph, and import takes a module",
    "emit my_graph.py:graph -o my_graph.py": "my_graph.py is the spec itself",
    "emit my_graph:graph -o my_graph.py": "my_graph.py is the spec itself",
    "check my_graph.py:graph --set width=5": "no param is called 'width'",
    "check my_graph.py:graph --arg width=5": "is made already, so it takes no --arg",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_needs_a_file_says_so_in_a_line(run, my_graph: Path, words: str) -> None:  # type: ignore[no-untyped-def]
    code, out = run(*words.split())
    assert code == 2 and REFUSED[words] in out.error
    assert (my_graph / "my_graph.py").read_text() == GRAPHS


@pytest.mark.usefixtures("my_graph")
def test_a_wrong_graph_in_code_is_a_wrong_spec(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("check", "my_graph.py:wrong")
    assert code == 1 and "error[rank-mismatch]" in out and "return layers.Conv2d(3, 3)(x)" in out


def test_a_model_that_cannot_be_imported_exits_1(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    code = "from torch import nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x.tolist()"
    (my_model / "lists.py").write_text(code)
    code, out = run("summary", "lists.py:Net", "--input", "x=3")
    assert (code, out) == (1, "")
    assert (
        out.error
        == "error: lists.py:Net cannot be imported: other sizes give more or fewer arguments\n"
    )
