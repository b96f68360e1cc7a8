"""`draw`, `summary` and `diff` read the user's module as they read a spec."""

from __future__ import annotations

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


@pytest.mark.parametrize("command", ["check", "emit", "run"])
def test_other_commands_say_how_to_write_a_spec(run, command: str) -> None:  # type: ignore[no-untyped-def]
    code, out = run(command, "my_model.py:Net")
    told = "is Python code: write a spec of it first: mimgraph import my_model.py:Net -o FILE.yaml"
    assert code == 2 and told in out.error


def test_a_model_that_cannot_be_imported_exits_1(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    code = "from torch import nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x.tolist()"
    (my_model / "lists.py").write_text(code)
    code, out = run("summary", "lists.py:Net", "--input", "x=3")
    assert (code, out) == (1, "")
    assert (
        out.error
        == "error: lists.py:Net cannot be imported: other sizes give more or fewer arguments\n"
    )
