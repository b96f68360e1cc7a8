"""Check that reading a spec ends legally: in a graph that works, or in diagnostics with places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import mimgraph as mg
from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.render import render_json, render_text
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.formats.dot import render as render_dot
from mimgraph.picture.scene import Scene
from mimgraph.source import Span


def check(text: str, params: Mapping[str, Any] | None = None) -> mg.Graph | None:
    """Load the text, check that the end is legal, and return the graph if there is one."""
    try:
        graph = mg.loads(text, params)
    except mg.SpecError as error:
        check_faults(error.diagnostics)
        return None
    check_graph(graph)
    return graph


def check_faults(faults: list[Diagnostic]) -> None:
    """Check that each has a known code, a message and a place in the file, and can be shown."""
    assert faults
    for fault in faults:
        assert fault.code in CODES
        assert fault.message.strip()
        for span in (fault.span, *(label.span for label in fault.labels)):
            check_span(span)
    assert len(json.loads(render_json(faults))) == len(faults)
    shown = render_text(faults)
    assert shown.count("error[") >= len(faults)
    assert all(line.isprintable() for line in shown.split("\n"))
    render_text(faults, color=True)


def check_span(span: Span) -> None:
    """Check that the span lies in its file."""
    lines = span.file.lines
    assert (1, 1) <= (span.line, span.column) <= (span.end_line, span.end_column)
    assert span.end_line <= len(lines)
    assert span.column <= len(lines[span.line - 1]) + 1
    assert span.end_column <= len(lines[span.end_line - 1]) + 1


def check_graph(graph: mg.Graph) -> None:
    """Check that the graph is summarised, emitted, written and drawn, and is the same when read back."""
    str(graph.summary())
    source = graph.source()
    compile(source, graph.name, "exec")
    again = mg.loads(graph.dumps())
    assert again == graph
    assert again.source() == source
    render_dot(Scene(diagram(graph.typed)))
