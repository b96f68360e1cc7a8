"""A wrong graph is drawn as far as it is known, with every fault in red where it belongs.

tests/picture/drawings/wrong.md has the diagrams.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.picture.diagram.fold import fold
from mimgraph.picture.diagram.model import Diagram, boxes
from mimgraph.picture.formats import dot, mermaid
from tests.conftest import in_ci
from tests.test_corpus import CASE, FILES


def picture(text: str) -> Diagram | None:
    """Return the picture of a wrong spec; None if nothing is known of it."""
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text, name="spec.yaml")
    error = caught.value
    return None if error.sketch is None else error.sketch.scene(error.diagnostics).whole


def shown(text: str) -> Diagram:
    found = picture(text)
    assert found is not None
    return found


OPTION = """
inputs: {x: [5], y: [T, 3]}
nodes:
  b: {layer: Linear, from: x, out_feature: 2}
outputs: [b, y]
"""


def test_the_tooltip_of_a_faulty_box_shows_where() -> None:
    (tooltip,) = (box.tooltip for box in boxes(shown(OPTION).items) if box.faults)
    assert "--> spec.yaml:4:31" in tooltip
    assert "^^^^^^^^^^^" in tooltip


IN_BLOCK = """
inputs: {x: [5], y: [5]}
blocks:
  inner:
    inputs: [a, b]
    nodes:
      wide: {layer: Linear, from: a, out_features: 8}
      both: {merge: add, from: [wide, b]}
      last: {layer: ReLU, from: both}
    outputs: {sum: last, other: wide}
  outer:
    inputs: [p, q]
    nodes:
      first: {layer: Tanh, from: p}
      use: {block: inner, from: {b: first, a: q}, repeat: 2}
    outputs: use.sum
nodes: {z: {block: outer, from: [x, y]}, end: {layer: ReLU, from: z}}
outputs: end
"""


def test_a_closed_block_says_what_is_wrong_inside() -> None:
    (box,) = (box for box in boxes(fold(shown(IN_BLOCK), 0).items) if box.id == "z")
    assert (box.mark, *box.faults[:3]) == (
        *("faulty", "in use.both", "error[shape-mismatch]", "add needs equal shapes"),
    )
    assert "spec.yaml:8" in box.tooltip


def test_nothing_is_drawn_of_a_text_that_is_no_spec() -> None:
    for text in ("inputs: {x: [5]\nnodes: ]", "", "outputs: y"):
        assert picture(text) is None
    with pytest.raises(mg.SpecError) as caught:
        mg.loads("[1, 2]")
    with pytest.raises(ValueError, match="no part of the graph is known"):
        caught.value.draw("x.svg")


def _cases() -> list[str]:
    return [match[1] for path in FILES for match in CASE.finditer(path.read_text())]


@pytest.mark.parametrize("step", [5, in_ci(1)], ids=["some", "all"])
def test_every_wrong_spec_of_the_corpus_shows_all_its_faults(step: int) -> None:
    drawn = 0
    for text in _cases()[::step]:
        try:
            mg.loads(text)
        except mg.SpecError as error:
            if error.sketch is None:
                continue
            scene = error.sketch.scene(error.diagnostics, depth="all")
            drawn += 1
            tooltips = "\n".join(box.tooltip for box in boxes(scene.whole.items))
            for one in error.diagnostics:
                assert one.message in tooltips
            assert dot.render(scene) and mermaid.render(scene)
    assert drawn > 200 // step


@pytest.mark.slow
def test_every_wrong_spec_of_the_corpus_is_laid_out(tmp_path: Path) -> None:
    for text in _cases():
        try:
            mg.loads(text)
        except mg.SpecError as error:
            if error.sketch is not None:
                error.draw(tmp_path / "x.svg")
                error.draw(tmp_path / "x.html")


def test_it_is_drawn_with_the_options_of_draw(tmp_path: Path) -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(OPTION)
    caught.value.draw(tmp_path / "x.svg", theme="dark", direction="LR", collapse=True)
    text = (tmp_path / "x.svg").read_text()
    assert "out_features?" in text and 'fill="#0d1117"' in text
    with pytest.raises(ValueError, match="must end in"):
        caught.value.draw(tmp_path / "x.txt")
    with pytest.raises(TypeError, match="the path of a file"):
        caught.value.draw("")
