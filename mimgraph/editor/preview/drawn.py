"""Draw one version of a spec as an interactive page, with its faults at the nodes they concern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.editor.analysis import Analysis
from mimgraph.graph import Graph
from mimgraph.ir.declared_graph import Graph as DeclaredGraph
from mimgraph.ir.declared_graph import Input
from mimgraph.language.spec_file import LoadedSpec
from mimgraph.picture.details.model import Detail
from mimgraph.picture.errors import RenderError
from mimgraph.picture.faulty.places import places
from mimgraph.picture.faulty.sketch import sketch_of
from mimgraph.picture.formats import page
from mimgraph.picture.readable_depth import readable
from mimgraph.picture.scene import Scene


class Lines(NamedTuple):
    """The lines of a node: the name of its file without folders, the first line and the last."""

    file: str
    first: int
    last: int


@dataclass(frozen=True)
class Drawn:
    """A version as pages show it: its page, None if nothing of it is known, its faults as JSON data,
    and the lines of each node by the id of its box."""

    page: str | None
    faults: list[dict[str, Any]]
    lines: Mapping[str, Lines]
    summary: str

    def node_at(self, file: str, line: int) -> str | None:
        """Return the id of the innermost node on a line; None if there is none."""
        name = PurePath(file).name
        around = [
            (lines.last - lines.first, -len(id_), id_)
            for id_, lines in self.lines.items()
            if lines.file == name and lines.first <= line <= lines.last
        ]
        return min(around)[2] if around else None


def drawn(analysis: Analysis, view: Mapping[str, Any]) -> Drawn:
    """Draw a version; `view` has the options of `Graph.draw`."""
    scene = _scene(analysis, view)
    faults = [_fault(one, id_) for one, id_ in _with_nodes(analysis)]
    if scene is None:
        return Drawn(None, faults, {}, "")
    details = scene.details()  # which emits the source, so it is asked for once
    scene = replace(scene, details=lambda: details)
    count = len(analysis.declared.nodes) if analysis.declared else 0
    summary = f"{scene.whole.name}: {count:,} node{'s' * (count != 1)}"
    lines = dict([*_declared_lines(analysis.declared), *_lines(details)])
    try:
        return Drawn(page.render(readable(scene)), faults, lines, summary)
    except RenderError as error:
        return Drawn(None, [*faults, {"severity": "error", "message": str(error)}], lines, "")


def _scene(analysis: Analysis, view: Mapping[str, Any]) -> Scene | None:
    """Return the picture of a version; None if no part of it is known."""
    if analysis.declared is None or not (analysis.declared.inputs or analysis.declared.nodes):
        return None
    if analysis.typed is None:
        return sketch_of(analysis.declared).scene(analysis.diagnostics, **view)
    return Graph._of(LoadedSpec, analysis.declared, analysis.typed).scene(**view)


def _declared_lines(graph: DeclaredGraph | None) -> Iterator[tuple[str, Lines]]:
    """Yield the lines of the inputs and nodes as they are written, as one of unknown type has no details."""
    if graph is None:
        return
    spans = {one.name: one.whole for one in graph.inputs if isinstance(one, Input)}
    spans |= {one.name: one.whole for one in graph.nodes}
    for name, span in spans.items():
        if span is not None:
            yield name, Lines(PurePath(span.file.name).name, span.line, span.end_line)


def _lines(details: Mapping[str, Any]) -> Iterator[tuple[str, Lines]]:
    for id_, detail in details.items():
        if isinstance(detail, Detail) and detail.spec:
            excerpt = detail.spec[0]
            yield id_, Lines(excerpt.place, excerpt.first_line, excerpt.last_line)


def _with_nodes(analysis: Analysis) -> Iterator[tuple[Diagnostic, str]]:
    """Yield each diagnostic with the id of the box that it concerns, or ""."""
    part = analysis.known
    if part is None:
        yield from ((one, one.node) for one in analysis.diagnostics)
        return
    by_id = places(part, analysis.diagnostics)
    ids = {id(one): id_ for id_, found in by_id.items() for one in found}
    yield from ((one, ids[id(one)]) for one in analysis.diagnostics)


def _fault(diagnostic: Diagnostic, node: str) -> dict[str, Any]:
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "note": diagnostic.note,
        "help": diagnostic.help,
        "file": PurePath(span.file.name).name,
        "line": span.line,
        "column": span.column,
        "node": node,
    }
