"""A long picture is set in columns, as text on a page, of about the shape of a screen."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge
from mimgraph.picture.geometry import Place
from mimgraph.picture.layout import wrap_cuts
from mimgraph.picture.layout.layout import Layout, layout
from mimgraph.picture.scene import Direction, Scene
from tests.conftest import ROOT
from tests.picture.layout.audit import faults
from tests.picture.layout.test_layout import diagrams


def chain(names: list[str], *edges: str) -> Diagram:
    """Return a chain of boxes with more edges, each written as `tail head`."""
    items = [Box(name, "layer", name, "Linear 4", ("(N, 4)",)) for name in names]
    pairs = [f"{a} {b}" for a, b in pairwise(names)]
    return Diagram(
        "M",
        "",
        tuple(items),
        tuple(Edge(*e.split()) for e in (*pairs, *edges)),
    )


NAMES = [f"n{i}" for i in range(60)]


def wrapped(picture: Diagram, direction: Direction = "TB", **options: Any) -> Layout:
    return layout(Scene(picture, direction, wrap=True, **options))


def columns(laid: Layout) -> list[list[str]]:
    """Return the names in each column: one begins where a box is not below the one before it."""
    found = [[NAMES[0]]]
    for before, name in pairwise(NAMES):
        if laid.places[name].y <= laid.places[before].y:
            found.append([])
        found[-1].append(name)
    return found


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_a_long_chain_is_about_as_wide_as_high(direction: Direction) -> None:
    picture = chain(NAMES)
    laid = wrapped(picture, direction)
    assert 1 < laid.width / laid.height < 2
    assert faults(picture, laid) == []


def test_columns_are_read_from_top_to_bottom_and_left_to_right() -> None:
    laid = wrapped(chain(NAMES))
    found = columns(laid)
    assert len(found) > 2
    assert max(map(len, found)) - min(map(len, found)) < 3
    lefts = [laid.places[column[0]].x for column in found]
    assert lefts == sorted(lefts)


def test_a_column_ends_where_few_edges_pass() -> None:
    inner = [
        f"n{i} n{i + 3}" for i in range(57) if i % 10 < 7
    ]  # only the chain leaves a group of ten
    starts = [column[0] for column in columns(wrapped(chain(NAMES, *inner)))]
    assert len(starts) > 2
    # one tensor passes before the first box of a group, and before the second
    assert {*starts} <= {f"n{10 * i + first}" for i in range(6) for first in (0, 1)}


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_edges_to_any_later_column_run_in_the_gutters(direction: Direction) -> None:
    picture = chain(NAMES, "n0 n59", "n2 n30", "n2 n55", "n20 n21", "n10 n40", "n10 n41")
    assert faults(picture, wrapped(picture, direction)) == []


def test_cycles_of_a_wrong_graph_are_wrapped() -> None:
    picture = chain(NAMES, "n50 n10", "n5 n5")
    assert faults(picture, wrapped(picture)) == []


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_the_block_that_is_most_of_a_picture_is_cut(direction: Direction) -> None:
    whole = chain(NAMES)
    block = Cluster("b", "block", "net", "a block", whole.items)
    ends = tuple(Box(name, "layer", name, "Linear 4", ("(N, 4)",)) for name in ("x", "y"))
    edges = (Edge("x", "n0"), Edge("x", "n30"), *whole.edges, Edge("n59", "y"), Edge("n7", "y"))
    picture = Diagram("M", "", (ends[0], block, ends[1]), edges)
    laid = wrapped(picture, direction)
    assert faults(picture, laid) == []
    place = laid.places["b"]
    assert 0.5 < place.width / place.height < 2.5
    assert all(_is_inside(laid.places[name], place) for name in NAMES)


def _is_inside(inner: Place, outer: Place) -> bool:
    return outer.x < inner.x and inner.x + inner.width < outer.x + outer.width


def test_a_short_picture_and_a_u_stay_as_they_are() -> None:
    unet = mg.load(ROOT / "specs" / "unet_attention.yaml").scene(depth=1).shown
    for picture in (chain(NAMES[:8]), unet):
        assert wrapped(picture) == layout(Scene(picture))


@pytest.mark.parametrize("name", ["detr", "resnet50", "mult"])
def test_models_are_wrapped_without_faults(name: str) -> None:
    scene = mg.load(ROOT / "specs" / f"{name}.yaml").scene(depth="all", wrap=True)
    laid = layout(scene)
    assert 0.7 < laid.width / laid.height < 2
    assert faults(scene.shown, laid) == []


@pytest.mark.slow
@given(diagrams(), st.sampled_from(["TB", "LR"]))
def test_any_diagram_is_wrapped_without_faults(picture: Diagram, direction: Direction) -> None:
    with patch.object(wrap_cuts, "LONG", 50.0):
        assert faults(picture, wrapped(picture, direction)) == []


def test_formats_that_are_not_laid_out_refuse_wrap(tmp_path: Path) -> None:
    graph = mg.load(ROOT / "specs" / "resnet18.yaml")
    for ending in ("dot", "mmd"):
        with pytest.raises(
            ValueError, match=rf"only \.svg, \.png, \.pdf, \.html are wrapped, not \.{ending}"
        ):
            graph.draw(tmp_path / f"m.{ending}", wrap=True)
    assert not [*tmp_path.iterdir()]
    graph.draw(tmp_path / "m.svg", depth="all", wrap=True)
