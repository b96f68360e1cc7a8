"""Each node of a preview has its lines, also one whose type is unknown."""

from __future__ import annotations

from pathlib import Path

from mimgraph.editor.preview.live_picture import LivePicture

SPEC = """inputs: {x: [8]}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
  b:
    from: a
    seq: [ReLU, Dropout]
outputs: b
"""


def nodes(folder: Path, text: str) -> list[str | None]:
    """Return the nodes at the lines of a spec."""
    path = folder / "model.yaml"
    path.write_text(text)
    drawn = LivePicture(str(path), {}, {}).draw()
    return [drawn.node_at(path.name, line) for line in range(1, 8)]


def test_the_nodes_at_lines(tmp_path: Path) -> None:
    assert nodes(tmp_path, SPEC) == ["x", None, "a", "b", "b", "b.0", "output b"]


def test_what_is_not_typed_has_lines(tmp_path: Path) -> None:
    wrong = SPEC.replace("Linear", "Liner")
    assert nodes(tmp_path, wrong) == ["x", None, "a", "b", "b", "b", None]
