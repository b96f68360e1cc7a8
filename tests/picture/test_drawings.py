"""The diagrams of specs, whole, closed and wrong; the expected ones are in `drawings/`, and `--rewrite` updates them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.chains import close_chains
from mimgraph.picture.diagram.flat_repeats import fold_repeats
from mimgraph.picture.diagram.fold import fold
from mimgraph.picture.diagram.model import Diagram
from mimgraph.picture.diagram.open_once import open_once
from tests.helpers.shown import check
from tests.picture.drawing import drawing

FOLDER = Path(__file__).parent / "drawings"


def drawn(change: Callable[[Diagram], Diagram]) -> Callable[[str], str]:
    """Return a function that draws a spec and changes the diagram."""
    return lambda text: drawing(change(diagram(mg.loads(text).typed)))


SHOWN = {
    "whole": drawn(lambda whole: whole),
    "closed": drawn(lambda whole: fold(whole, 0)),
    "chains": drawn(close_chains),
    "once": drawn(open_once),
    "repeats": drawn(fold_repeats),
    "half_closed": drawn(lambda whole: fold_repeats(fold(whole, 1))),
}


def wrong(text: str) -> str:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text, name="spec.yaml")
    error = caught.value
    if error.sketch is None:
        return "nothing is drawn"
    return drawing(error.sketch.scene(error.diagnostics).whole)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_specs_are_drawn_as_these_diagrams(path: Path, rewrite: bool) -> None:
    check(path, rewrite, wrong=wrong, **SHOWN)
