"""Draw a wrong graph for the `SpecError` that reports its faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mimgraph.support.frozen_data import data

if TYPE_CHECKING:
    from mimgraph.diagnostics import Diagnostic
    from mimgraph.ir.declared.graph import Graph
    from mimgraph.picture.scene import Scene


@data(eq=False)
class FaultySketch:
    """The `sketch` of a `SpecError`; `declare` returns the graph, as far as it could be declared.

    It imports what draws only when it draws: most errors are printed.
    """

    declare: Callable[[], Graph]

    def scene(self, faults: Sequence[Diagnostic], **view: Any) -> Scene:
        """Return the picture with the options of `Graph.draw`."""
        from mimgraph.picture.faulty.build import faulty_diagram, known_details
        from mimgraph.picture.scene import Scene

        graph = self.declare()
        view = {"depth": None, **view}
        return Scene(faulty_diagram(graph, faults), **view, details=partial(known_details, graph))

    def draw(self, faults: Sequence[Diagnostic], path: Path, **view: Any) -> None:
        """Write the picture to a file."""
        from mimgraph.picture import write

        write(self.scene(faults, **view), path)

    def html(self, faults: Sequence[Diagnostic]) -> str:
        """Return the picture for a notebook; "" if it cannot be drawn."""
        from mimgraph.picture.faulty.build import faulty_diagram
        from mimgraph.picture.notebook import faulty_html

        return faulty_html(faulty_diagram(self.declare(), faults))
