"""An editor goes to definitions and references, also into a part that is not open."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient

pytestmark = pytest.mark.slow  # each test starts a process

SPEC = """parts: {text: text.yaml}
inputs: {x: [T, 8]}
nodes:
  a: {block: text, from: {tokens: x}}
outputs: a
"""
PART = "inputs: {tokens: [T, 8]}\nnodes: {fc: {layer: ReLU, from: tokens}}\noutputs: fc\n"


@pytest.fixture
def uri(client: LanguageClient, tmp_path: Path) -> str:
    (tmp_path / "text.yaml").write_text(PART)
    uri = (tmp_path / "model.yaml").as_uri()
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "yaml", 1, SPEC))
    )
    return uri


def shown(found: list[types.Location]) -> list[str]:
    return [f"{one.uri.rpartition('/')[2]} {one.range.start}" for one in found]


@pytest.mark.asyncio
async def test_definition_and_references(client: LanguageClient, uri: str) -> None:
    document, at = types.TextDocumentIdentifier(uri), types.Position(3, 28)
    found = await client.text_document_definition_async(types.DefinitionParams(document, at))
    assert isinstance(found, list)
    assert shown(found) == ["text.yaml 0:9"]  # type: ignore[arg-type]
    context = types.ReferenceContext(include_declaration=True)
    uses = await client.text_document_references_async(types.ReferenceParams(context, document, at))
    assert uses is not None
    assert shown([*uses]) == ["text.yaml 0:9", "text.yaml 1:32", "model.yaml 3:26"]
    marks = await client.text_document_document_highlight_async(
        types.DocumentHighlightParams(document, types.Position(1, 10))
    )
    assert [str(one.range.start) for one in marks or ()] == ["1:9", "3:34"]
