"""The diagrams of specs, whole, closed and wrong; the expected ones are in `drawings/`, and `--rewrite` updates them."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.fold import fold
from tests.helpers.cases import check
from tests.picture.drawing import drawing

FOLDER = Path(__file__).parent / "drawings"


def whole(text: str) -> str:
    return drawing(diagram(mg.loads(text).typed))


def closed(text: str) -> str:
    return drawing(fold(diagram(mg.loads(text).typed), 0))


def wrong(text: str) -> str:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text, name="spec.yaml")
    error = caught.value
    if error.sketch is None:
        return "nothing is drawn"
    return drawing(error.sketch.scene(error.diagnostics).whole)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_specs_are_drawn_as_these_diagrams(path: Path, rewrite: bool) -> None:
    check(path, rewrite, whole=whole, closed=closed, wrong=wrong)
