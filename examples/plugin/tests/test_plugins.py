"""Each plugin is found by its name: `pip install -e . pytest && pytest`."""

from pathlib import Path

import torch

import mimgraph as mg

SPEC = """\
inputs: {a: [T, 4], b: [T, 8]}
nodes:
  gated: {layer: GatedLinear, from: a, width: 8}
  mixed: {merge: blend, from: [gated, b]}
outputs: mixed
"""


def test_a_spec_may_use_the_layer_and_the_merge() -> None:
    model = mg.loads(SPEC).compile()
    a, b = torch.rand(2, 5, 4), torch.rand(2, 5, 8)
    gated = model.gated.value(a) * model.gated.gate(a).sigmoid()
    torch.testing.assert_close(model(a=a, b=b), (gated + b) / 2)


def test_a_graph_is_drawn_in_latex(tmp_path: Path) -> None:
    mg.loads(SPEC).draw(tmp_path / "model.tex")
    assert r"(mixed) {mixed: blend}" in (tmp_path / "model.tex").read_text()


def test_a_list_of_widths_is_imported(tmp_path: Path) -> None:
    (tmp_path / "small.mlp").write_text("13 64 1")
    imported = mg.from_module(tmp_path / "small.mlp")
    assert [str(shape) for shape in imported.graph.shapes.values()] == ["(N, 13)", "(N, 1)"]
