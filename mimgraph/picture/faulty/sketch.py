"""Draw a wrong graph for the `SpecError` that reports its faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.diagnostics import NOTHING_KNOWN
from mimgraph.picture import write

if TYPE_CHECKING:
    from mimgraph.diagnostics import Diagnostic
    from mimgraph.ir.declared_graph import Graph
    from mimgraph.picture.scene import Scene


class WrongGraph(NamedTuple):
    """A graph as far as it could be declared; all faults concern the node `call` if there is one."""

    declared: Graph
    call: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FaultySketch:
    """The `sketch` of a `SpecError`; `declare` returns the wrong graph, None if nothing is known of it.

    It imports what draws only when it draws: most errors are printed.
    """

    declare: Callable[[], WrongGraph | None]

    def scene(self, faults: Sequence[Diagnostic], **view: Any) -> Scene:
        """Return the picture with the options of `Graph.draw`."""
        from mimgraph.picture.faulty.build import faulty_diagram, known_details
        from mimgraph.picture.scene import Scene

        graph = self.declare()
        if graph is None:
            raise ValueError(NOTHING_KNOWN)
        details = partial(known_details, graph.declared)
        return Scene(faulty_diagram(graph, faults), **view, details=details)

    def draw(self, faults: Sequence[Diagnostic], path: Path, **view: Any) -> None:
        """Write the picture to a file."""
        write(self.scene(faults, **view), path)

    def html(self, faults: Sequence[Diagnostic]) -> str:
        """Return the picture for a notebook; "" if it cannot be drawn."""
        from mimgraph.picture.faulty.build import faulty_diagram
        from mimgraph.picture.notebook import faulty_html

        graph = self.declare()
        return "" if graph is None else faulty_html(faulty_diagram(graph, faults))


def sketch_of(declared: Graph) -> FaultySketch:
    """Return what draws a wrong graph."""
    return FaultySketch(lambda: WrongGraph(declared))
