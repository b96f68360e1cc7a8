"""In IPython an error shows its traceback, and in a notebook the picture of the known part above it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import mimgraph as mg
from tests.conftest import ROOT


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.enabled = False
    yield InteractiveShell.instance(config=config, colors="nocolor")
    InteractiveShell.clear_instance()


CALLS = {
    "a call": 'mg.Graph(mg.layers.Linear(8, bia=True)(mg.Input("x", (5,))))',
    "a spec": 'mg.loads("inputs: {x: [5]}\\nnodes: {y: {layer: Liner, from: x}}\\noutputs: y")',
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_notebook_shows_the_picture_once(shell: InteractiveShell, call: str) -> None:
    shell.kernel = True  # type: ignore[attr-defined]
    shell.push({"mg": mg})
    with capture_output() as captured:
        shell.run_cell(call)
    (picture,) = captured.outputs
    assert picture.data["text/html"].startswith("<figure")
    assert captured.stdout.count("error[unknown-") == 1
    assert "did you mean" in captured.stdout and "mimgraph/" not in captured.stdout


@pytest.mark.parametrize(
    ("has_kernel", "call"), [(False, CALLS["a spec"]), (True, 'mg.loads("inputs: [")')]
)
def test_else_it_shows_the_text_alone(shell: InteractiveShell, has_kernel: bool, call: str) -> None:
    if has_kernel:
        shell.kernel = True  # type: ignore[attr-defined]
    shell.push({"mg": mg})
    with capture_output() as captured:
        shell.run_cell(call)
    assert not captured.outputs
    assert captured.stdout.count("SpecError: error[") == 1


def test_a_plain_traceback_imports_nothing_more() -> None:
    script = (
        "import sys, mimgraph as mg\n"
        "try:\n    mg.loads('inputs: {x: [5]}\\nnodes: {y: {layer: Liner, from: x}}\\noutputs: y')\n"
        "except mg.SpecError as error:\n    str(error)\n"
        "names = ('IPython', 'torch', 'mimgraph.picture.figure', 'mimgraph.picture.faulty.build')\n"
        "assert not [name for name in names if name in sys.modules]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
