"""Hints at one place are one hint of the protocol, and its tooltip has what they leave out."""

from __future__ import annotations

from lsprotocol import types

from mimgraph.editor.server.spec_server import SpecServer

URI = "file:///nowhere/model.yaml"
SPEC = """inputs: {x: [8], y: [4]}
blocks:
  head:
    inputs: [v]
    nodes:
      a: {layer: Linear, from: v, out_features: 2}
    outputs: a
nodes:
  p: {block: head, from: x}
  q: {block: head, from: y}
outputs: [p, q]
"""
ALL = types.Range(types.Position(0, 0), types.Position(99, 0))


def test_hints_at_one_place_are_one() -> None:
    server = SpecServer()
    server.documents.put(server.documents.opened(URI, 1, SPEC))
    ask = server.protocol.fm.features[types.TEXT_DOCUMENT_INLAY_HINT]
    found = ask(types.InlayHintParams(types.TextDocumentIdentifier(URI), ALL))
    places = [(one.position.line, one.position.character) for one in found]
    assert len(set(places)) == len(places)
    (hint,) = [one for one in found if one.position.line == 5]
    assert hint.label == "(N, 2)  in_features 8 …"

    hint.data["place"] = list(hint.data["place"])  # as JSON has it
    resolved = server.protocol.fm.features[types.INLAY_HINT_RESOLVE](hint)
    assert [line for line in resolved.tooltip.value.splitlines() if "in_features" in line] == [
        "- `p.a`: `in_features 8`",
        "- `q.a`: `in_features 4`",
    ]
