"""Plain nodes are read in a shorter way, which gives what the other way gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimgraph.diagnostics import Report
from mimgraph.ir.declared.graph import Graph
from mimgraph.language.reader import nodes
from mimgraph.language.reader.plain_nodes import read_plain_node
from mimgraph.language.reader.spec import read
from mimgraph.source import SourceFile
from tests.helpers.cases import EACH_SPEC_AND_PART, each, texts

PLAIN, OTHERS = (
    listed.splitlines() for (listed,) in texts(Path(__file__).with_name("plain_nodes.md")).values()
)


def read_both(text: str, patch: pytest.MonkeyPatch) -> tuple[tuple[object, ...], ...]:
    """Return the graph and the report of a text, read in both ways."""
    file, found = SourceFile("spec.yaml", text), []
    for reading in (read_plain_node, lambda *_: None):
        patch.setattr(nodes, "read_plain_node", reading)
        report = Report()
        graph = read(file, report)
        assert graph is None or isinstance(graph, Graph)
        # an operation is compared by its identity, but its text has all that it holds
        found.append((repr(graph), report.diagnostics, report.mentioned, report.renamed))
    return found[0], found[1]


@each("node, is_plain", [*((one, True) for one in PLAIN), *((one, False) for one in OTHERS)])
def test_a_plain_node_is_read_as_any_other(
    node: str, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"params: {{hidden: 8}}\ninputs: {{x: [8]}}\nnodes:\n  a: {node}\noutputs: a\n"
    plain, any_ = read_both(text, monkeypatch)
    assert plain == any_
    reads = []
    monkeypatch.setattr(nodes, "read_plain_node", lambda *all: reads.append(read_plain_node(*all)))
    read(SourceFile("spec.yaml", text), Report())
    assert {one is not None for one in reads} == {is_plain}  # a spec with a fault is read twice


@pytest.mark.parametrize("spec", EACH_SPEC_AND_PART)
def test_a_spec_is_read_as_without_plain_nodes(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, any_ = read_both(spec.read_text(), monkeypatch)
    assert plain == any_
