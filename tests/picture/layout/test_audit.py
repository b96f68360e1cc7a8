"""No edge leaves its frame or passes through a box, and no words stand on others, in any picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.geometry import Place, Point
from mimgraph.picture.layout.layout import Layout, layout
from mimgraph.picture.layout.routes import Route
from mimgraph.picture.scene import Depth, Direction, Scene
from tests.conftest import EACH_SPEC, SPECS
from tests.picture.layout.audit import faults

MORE = sorted((Path(__file__).parent.parent / "more_specs").glob("*.yaml"))
WAYS: list[tuple[Direction, Depth, bool]] = [("TB", "all", False), ("LR", "all", False)]
MORE_WAYS: list[tuple[Direction, Depth, bool]] = [
    (direction, depth, collapse)
    for direction in ("TB", "LR")
    for depth in ("all", 0, 1, 2)
    for collapse in (False, True)
    if depth != "all" or collapse
]
# one spec in eight has every option in CI; the others have it at night
SOME = [*SPECS, *MORE][::8]

PAIR = """
inputs: {x: [T, 4]}
blocks:
  tower:
    inputs: [x]
    nodes:
      fc: {layer: Linear, from: x, out_features: 4}
      sum: {merge: add, from: [x, fc]}
    outputs: sum
nodes:
  one: {block: tower, from: x}
  lstm: {layer: LSTM, from: one, hidden_size: 4}
  two: {layer: Linear, from: lstm.last, out_features: 4}
outputs: {y: two, z: lstm.last}
"""


def audited(
    path: Path, direction: Direction, depth: Depth, collapse: bool, wrap: bool = False
) -> list[str]:
    scene = Scene(diagram(mg.load(path).typed), direction, depth, collapse, wrap=wrap)
    return faults(scene.shown, layout(scene))


@pytest.mark.parametrize("path", [*EACH_SPEC, *MORE], ids=lambda path: path.stem)
def test_every_spec_has_a_clean_picture(path: Path) -> None:
    assert [fault for way in WAYS for fault in audited(path, *way)] == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=pytest.mark.slow if path in SOME else pytest.mark.nightly
        )
        for path in (*SPECS, *MORE)
    ],
)
def test_every_spec_has_a_clean_picture_with_every_option(path: Path) -> None:
    wrong = {
        (*way, wrap): found
        for way in MORE_WAYS
        for wrap in (False, True)
        if (found := audited(path, *way, wrap))
    }
    assert wrong == {}


def through(*points: tuple[float, float]) -> Callable[[Layout], Layout]:
    """Return a change that leads the first edge through points."""
    start, *steps = (Point(*point) for point in points)

    def change(laid: Layout) -> Layout:
        route = Route(start, tuple((step,) for step in steps), None)
        return replace(laid, routes=(route, *laid.routes[1:]))

    return change


def moved_title(laid: Layout) -> Layout:
    box = laid.places["one.fc"]
    return replace(laid, titles={"one": Place(box.x, box.y, 30, 10)})


def moved_label(laid: Layout) -> Layout:
    box = laid.places["two"]
    at = Point(box.centre, box.middle)
    return replace(laid, routes=tuple(r._replace(label=r.label and at) for r in laid.routes))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (through((0, 0), (-5, 20), (40, 40)), "x -> one.fc: outside the frame of its ends"),
        (through((40, 0), (40, 900)), "x -> one.fc: through two"),
        (moved_title, "title of one on one.fc"),
        (moved_label, "on two"),
    ],
    ids=["an edge outside", "an edge through boxes", "a title on a box", "a label on a box"],
)
def test_the_audit_finds_faults(change: Callable[[Layout], Layout], found: str) -> None:
    scene = Scene(diagram(mg.loads(PAIR).typed), depth="all")
    laid = layout(scene)
    assert faults(scene.shown, laid) == []
    assert any(found in fault for fault in faults(scene.shown, change(laid)))
