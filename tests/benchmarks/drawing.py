"""Costs of laying pictures out."""

from __future__ import annotations

import random
import shutil
import sysconfig
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from mimgraph.picture.diagram.captions import box_lines
from mimgraph.picture.diagram.model import Box, Diagram, Edge
from mimgraph.picture.formats import dot
from mimgraph.picture.layout.layout import laid_out, layout
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import units
from tests.benchmarks.case import Case, Cost, clocked, process


def skipping(nodes: int) -> Diagram:
    """Return a chain in which every third node also reads one of the ten before it."""
    choose = random.Random(0)
    boxes = [Box(f"n{i}", "layer", f"n{i}", "Linear 8", ("(N, 8)",)) for i in range(nodes)]
    edges = [Edge(f"n{i}", f"n{i + 1}") for i in range(nodes - 1)]
    edges += [Edge(f"n{max(0, i - choose.randint(2, 10))}", f"n{i}") for i in range(3, nodes, 3)]
    return Diagram("Skipping", "", tuple(boxes), tuple(edges))


def laid_out_against_dot(nodes: int) -> tuple[Cost, Cost]:
    """Compare a layout with `dot`, or with graphviz-pure where no `dot` is installed."""
    scene = Scene(skipping(nodes))
    engine = shutil.which("dot") or shutil.which(
        "graphviz-pure", path=sysconfig.get_path("scripts")
    )
    assert engine is not None
    folder = TemporaryDirectory()
    path = Path(folder.name, "skipping.dot")
    path.write_text(dot.render(scene))
    theirs = process(engine, "-Kdot", "-Tjson0", str(path))

    def cost() -> float:
        assert folder  # kept until the last run
        return theirs()

    return clocked(partial(laid_out_anew, scene)), cost


def laid_out_anew(scene: Scene) -> None:
    """Lay a scene out as the first one of a process."""
    for kept in (laid_out, box_lines, units):
        kept.cache_clear()
    layout(scene)


def cases() -> Iterator[Case]:
    for nodes in (200, 2_000):
        yield Case(
            f"lay out {nodes:,} nodes",
            "dot",
            partial(laid_out_against_dot, nodes),
            at_most=1.5,
            rounds=5,
        )
